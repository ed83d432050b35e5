/// A pattern as a machine that is in many states at once (Thompson's construction).
struct PatternProgram: Sendable {
  enum Instruction: Sendable {
    /// Takes one character of the set and goes on to the next instruction.
    case one(ScalarSet)
    case jump(Int)
    case split(Int, Int)
    case edge(PatternEdge)
    case look(Int, isNegated: Bool)
    case match
  }

  private(set) var instructions: [Instruction] = []

  /// - Parameter isReversed: to be fed with a text from its end.
  init(_ syntax: PatternSyntax, isReversed: Bool = false) {
    append(syntax, isReversed)
    instructions.append(.match)
  }

  private mutating func append(_ syntax: PatternSyntax, _ isReversed: Bool) {
    switch syntax {
    case .one(let set): instructions.append(.one(set))
    case .edge(let edge): instructions.append(.edge(edge))
    case .look(let index, let isNegated): instructions.append(.look(index, isNegated: isNegated))
    case .sequence(let parts):
      for part in isReversed ? parts.reversed() : parts { append(part, isReversed) }
    case .choice(let branches):
      var ends: [Int] = []
      for branch in branches.dropLast() {
        let split = reserve()
        append(branch, isReversed)
        ends.append(reserve())
        instructions[split] = .split(split + 1, instructions.count)
      }
      if let last = branches.last { append(last, isReversed) }
      for end in ends { instructions[end] = .jump(instructions.count) }
    case .repeated(let body, let atLeast, let atMost):
      for _ in 0..<atLeast { append(body, isReversed) }
      if let atMost {
        var splits: [Int] = []
        for _ in atLeast..<max(atMost, atLeast) {
          splits.append(reserve())
          append(body, isReversed)
        }
        for split in splits { instructions[split] = .split(split + 1, instructions.count) }
      } else {
        let split = reserve()
        append(body, isReversed)
        instructions.append(.jump(split))
        instructions[split] = .split(split + 1, instructions.count)
      }
    }
  }

  private mutating func reserve() -> Int {
    instructions.append(.jump(0))
    return instructions.count - 1
  }
}

/// One walk of a ``PatternProgram`` over a text, forwards or backwards, with a start at every place.
struct PatternRun {
  let text: [UInt32]
  /// For each look of the pattern that is decided already: at which places it holds.
  let looks: [[Bool]]
  private let instructions: [PatternProgram.Instruction]
  /// The instructions that wait for a character.
  private var waiting: [Int] = []
  private var pending: [Int] = []
  /// For each instruction the last place at which it was reached, so that none is reached twice at one.
  private var reached: [Int]

  init(_ program: PatternProgram, text: [UInt32], looks: [[Bool]]) {
    instructions = program.instructions
    self.text = text
    self.looks = looks
    reached = Array(repeating: -1, count: instructions.count)
  }

  /// Whether a match ends anywhere. Nil once `work`, which is lowered by one for each step, is used up.
  mutating func matchesAnywhere(_ work: inout Int) -> Bool? {
    for place in 0...text.count {
      let isMatch = step(to: place, over: place == 0 ? nil : text[place - 1], &work)
      if work < 0 { return nil }
      if isMatch { return true }
    }
    return false
  }

  /// At which places a match ends, or backwards, begins. Nil once `work` is used up.
  mutating func matchingPlaces(isBackwards: Bool, _ work: inout Int) -> [Bool]? {
    var places = Array(repeating: false, count: text.count + 1)
    for count in 0...text.count {
      let place = isBackwards ? text.count - count : count
      let taken = count == 0 ? nil : text[isBackwards ? place : place - 1]
      places[place] = step(to: place, over: taken, &work)
      if work < 0 { return nil }
    }
    return places
  }

  private mutating func step(to place: Int, over taken: UInt32?, _ work: inout Int) -> Bool {
    let before = waiting
    waiting.removeAll(keepingCapacity: true)
    var isMatch = false
    if let taken {
      work -= before.count
      for index in before {
        if case .one(let set) = instructions[index], set.contains(taken) {
          isMatch = follow(index + 1, at: place, &work) || isMatch
        }
      }
    }
    return follow(0, at: place, &work) || isMatch
  }

  /// Goes from `index` as far as no character is needed. Returns whether that is the end of the pattern.
  private mutating func follow(_ index: Int, at place: Int, _ work: inout Int) -> Bool {
    var isMatch = false
    pending.append(index)
    while let index = pending.popLast() {
      if reached[index] == place { continue }
      reached[index] = place
      work -= 1
      switch instructions[index] {
      case .one: waiting.append(index)
      case .jump(let target): pending.append(target)
      case .split(let first, let second):
        pending.append(second)
        pending.append(first)
      case .edge(let edge): if holds(edge, at: place) { pending.append(index + 1) }
      case .look(let look, let isNegated): if looks[look][place] != isNegated { pending.append(index + 1) }
      case .match: isMatch = true
      }
    }
    return isMatch
  }

  private func holds(_ edge: PatternEdge, at place: Int) -> Bool {
    switch edge {
    case .start: place == 0
    case .end: place == text.count
    case .wordEdge: isWordEdge(place)
    case .noWordEdge: !isWordEdge(place)
    }
  }

  private func isWordEdge(_ place: Int) -> Bool {
    let before = place > 0 && ScalarSet.isWordCharacter(text[place - 1])
    return before != (place < text.count && ScalarSet.isWordCharacter(text[place]))
  }
}

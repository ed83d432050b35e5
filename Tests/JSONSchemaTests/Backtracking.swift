import TestKit

@testable import JSONSchema

/// Another way to match patterns, slow and plain, to compare with.
enum Backtracking {
  /// A pattern over `a` and `b`.
  static func pattern(depth: Int, using random: inout SplitMix) -> String {
    func inner() -> String { pattern(depth: depth - 1, using: &random) }
    switch Int.random(in: 0..<(depth > 0 ? 12 : 3), using: &random) {
    case 0: return "a"
    case 1: return "b"
    case 2: return ["[ab]", ".", "[^a]", "", "\\b"].randomElement(using: &random) ?? ""
    case 3, 4: return inner() + inner()
    case 5: return "(?:\(inner())|\(inner()))"
    case 6: return "(?:\(inner()))*"
    case 7: return "(?:\(inner()))+"
    case 8: return "(?:\(inner())){1,2}"
    case 9: return "(?=\(inner()))"
    case 10: return "(?!\(inner()))"
    default: return "(?<\(Bool.random(using: &random) ? "=" : "!")\(inner()))"
    }
  }

  static func matches(_ pattern: String, _ text: String) -> Bool {
    var parser = PatternParser(pattern)
    guard let syntax = try? parser.pattern() else { return false }
    let matcher = Matcher(text: text.unicodeScalars.map(\.value), looks: parser.looks)
    return (0...matcher.text.count).contains { !matcher.ends(syntax, from: $0).isEmpty }
  }

  private struct Matcher {
    let text: [UInt32]
    let looks: [PatternLook]

    /// All places where a match that begins at `start` can end.
    func ends(_ syntax: PatternSyntax, from start: Int) -> Set<Int> {
      switch syntax {
      case .one(let set): return start < text.count && set.contains(text[start]) ? [start + 1] : []
      case .sequence(let parts):
        return parts.reduce([start]) { places, part in Set(places.flatMap { ends(part, from: $0) }) }
      case .choice(let branches): return Set(branches.flatMap { ends($0, from: start) })
      case .repeated(let body, let atLeast, let atMost):
        var (reached, all): (Set<Int>, Set<Int>) = ([start], atLeast == 0 ? [start] : [])
        for count in 1...(atMost ?? (atLeast + text.count + 1)) where atMost != 0 {
          reached = Set(reached.flatMap { ends(body, from: $0) })
          if count >= atLeast { all.formUnion(reached) }
        }
        return all
      case .edge(let edge): return holds(edge, start) ? [start] : []
      case .look(let index, let isNegated):
        let look = looks[index]
        let holds =
          look.isAhead
          ? !ends(look.body, from: start).isEmpty : (0...start).contains { ends(look.body, from: $0).contains(start) }
        return holds != isNegated ? [start] : []
      }
    }

    private func holds(_ edge: PatternEdge, _ place: Int) -> Bool {
      switch edge {
      case .start: place == 0
      case .end: place == text.count
      // Only letters occur.
      case .wordEdge: !text.isEmpty && (place == 0 || place == text.count)
      case .noWordEdge: text.isEmpty || (place > 0 && place < text.count)
      }
    }
  }
}

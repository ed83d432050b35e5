/// A text in which `*` stands for any text.
struct Wildcard: Sendable {
  private let pattern: [Character]

  init(_ pattern: String) { self.pattern = Array(pattern) }

  /// Whether it fits the whole of `text`.
  func matches(_ text: String) -> Bool {
    let text = Array(text)
    var (place, index) = (0, 0)
    // Where the last star was, and how much of the text it has taken.
    var star: (index: Int, taken: Int)?
    while place < text.count {
      if index < pattern.count, pattern[index] == "*" {
        star = (index, place)
        index += 1
      } else if index < pattern.count, pattern[index] == text[place] {
        index += 1
        place += 1
      } else if let last = star {
        star = (last.index, last.taken + 1)
        (index, place) = (last.index + 1, last.taken + 1)
      } else {
        return false
      }
    }
    return pattern[index...].allSatisfy { $0 == "*" }
  }
}

/// Finds the name that somebody meant.
public enum Suggestion {
  /// The name nearest to a misspelt one; nil if none is near. Of equally near ones the first in byte order.
  ///
  /// One mistake for every three characters is near: a letter too many, one too few, another one, or two neighbours
  /// swapped. Case and `-` against `_` do not count.
  public static func closest(to name: String, among names: some Sequence<String>) -> String? {
    let wanted = folded(name)
    guard !wanted.isEmpty, wanted.count <= longest else { return nil }
    let limit = max(1, wanted.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      let letters = folded(candidate)
      guard letters.count <= longest, abs(letters.count - wanted.count) <= limit else { continue }
      let distance = distance(wanted, letters)
      // A name of one or two letters with all of them wrong is another name.
      guard distance <= limit, distance < max(wanted.count, letters.count) else { continue }
      if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
  }

  /// Longer names are not compared: the effort grows with the square.
  private static let longest = 100

  private static func folded(_ name: String) -> [Character] {
    name.prefix(longest + 1).lowercased().map { $0 == "-" ? "_" : $0 }
  }

  /// Optimal string alignment: Damerau-Levenshtein without edits inside a swapped pair.
  private static func distance(_ left: [Character], _ right: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in 1..<(left.count + 1) {
      var current = [row]
      for column in 1..<(right.count + 1) {
        let isSame = left[row - 1] == right[column - 1]
        var cost = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (isSame ? 0 : 1))
        if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
          cost = min(cost, beforeLast[column - 2] + 1)
        }
        current.append(cost)
      }
      (beforeLast, last) = (last, current)
    }
    return last[right.count]
  }
}

/// A pattern of CODEOWNERS. It fits a file or a folder above it, as gitignore(5) has it.
///
/// What a look at a path costs is bounded by the product of their lengths, whatever the pattern is.
struct OwnerPattern: Sendable, Hashable {
  /// In bytes.
  static let maximumLength = 512

  private enum Part: Sendable, Hashable {
    /// `**` as a whole part: any number of parts.
    case any
    /// One part of a path, with `*` and `?`.
    case one([UInt8])
  }

  private enum Kind: Sendable, Hashable {
    case everything
    /// A path without wildcards, from the root on. Most patterns are such.
    case plain([UInt8])
    case wild([Part])
  }

  private let kind: Kind
  /// Whether it is about a folder: then it does not fit the file itself.
  private let isFolder: Bool
  /// `docs/*` is only about what lies in docs itself.
  private let isShallow: Bool

  var isWild: Bool { if case .wild = kind { true } else { false } }

  init(_ text: [UInt8]) {
    let (slash, star) = (UInt8(ascii: "/"), UInt8(ascii: "*"))
    var rest = text[...]
    isFolder = rest.last == slash
    if isFolder { rest = rest.dropLast() }
    let isAnchored = rest.contains(slash)
    if rest.first == slash { rest = rest.dropFirst() }
    isShallow = !isFolder && isAnchored && rest.last == star && !rest.suffix(2).elementsEqual("**".utf8)
    if rest.isEmpty {
      kind = .wild([])  // the root itself: no file
    } else if rest.elementsEqual("*".utf8), !isFolder, !isAnchored {
      kind = .everything
    } else if isAnchored, !rest.contains(where: "*?".utf8.contains) {
      kind = .plain(Array(rest))
    } else {
      var parts: [Part] = isAnchored ? [] : [.any]
      for part in rest.split(separator: slash) {
        if !part.elementsEqual("**".utf8) {
          parts.append(.one(Array(part)))
        } else if parts.last != .any {
          parts.append(.any)
        }
      }
      kind = .wild(parts)
    }
  }

  /// - Parameter parts: those of the path.
  func fits(_ path: [UInt8], _ parts: [ArraySlice<UInt8>]) -> Bool {
    switch kind {
    case .everything: return true
    case .plain(let pattern):
      guard path.starts(with: pattern) else { return false }
      return path.count == pattern.count ? !isFolder : path[pattern.count] == UInt8(ascii: "/")
    case .wild(let pattern): return fits(pattern, parts)
    }
  }

  /// Goes over the path once, with all places of the pattern that what was read so far leads to.
  private func fits(_ pattern: [Part], _ path: [ArraySlice<UInt8>]) -> Bool {
    // A last `**` is about what is inside, at least one part of it.
    let isInside = pattern.last == .any
    let end = isInside ? pattern.count - 1 : pattern.count
    var places = [Bool](repeating: false, count: pattern.count + 1)
    places[0] = true
    for (index, part) in path.enumerated() {
      var next = [Bool](repeating: false, count: places.count)
      for place in pattern.indices where places[place] {
        switch pattern[place] {
        case .any:
          next[place] = true
          // It may be nothing at all; two never follow each other.
          if place + 1 < pattern.count, case .one(let text) = pattern[place + 1], Self.fits(text, part) {
            next[place + 2] = true
          }
        case .one(let text): if Self.fits(text, part) { next[place + 1] = true }
        }
      }
      let isLast = index == path.count - 1
      if isInside ? places[end] : next[end], isLast || !isShallow, !(isLast && isFolder) { return true }
      places = next
    }
    return false
  }

  /// `*` is any bytes, `?` any one. Goes back to the last `*` only.
  private static func fits(_ pattern: [UInt8], _ text: ArraySlice<UInt8>) -> Bool {
    var (place, at) = (0, text.startIndex)
    var retry: (place: Int, at: Int)?
    while at < text.endIndex {
      if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
        retry = (place + 1, at)
        place += 1
      } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") || pattern[place] == text[at] {
        (place, at) = (place + 1, at + 1)
      } else if let last = retry {
        retry = (last.place, last.at + 1)
        (place, at) = (last.place, last.at + 1)
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}

/// Versions as registries write them: SemVer, sometimes after a `v`.
enum VersionText {
  /// The version without its `v`, or nil where it is not strictly SemVer 2.0.
  static func normalized(_ text: String) -> String? {
    let version = text.hasPrefix("v") ? String(text.dropFirst()) : text
    return isSemVer(version) ? version : nil
  }

  private static func isSemVer(_ text: String) -> Bool {
    guard text.utf8.count <= 128 else { return false }
    let build = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
    let release = build[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let core = parts(release[0])
    return core.count == 3 && core.allSatisfy(isNumber)
      && (release.count == 1 || parts(release[1]).allSatisfy { isIdentifier($0) && (!isAllDigits($0) || isNumber($0)) })
      && (build.count == 1 || parts(build[1]).allSatisfy(isIdentifier))
  }

  private static func parts(_ text: Substring) -> [Substring] {
    text.split(separator: ".", omittingEmptySubsequences: false)
  }

  private static func isNumber(_ part: Substring) -> Bool {
    isAllDigits(part) && (part == "0" || !part.hasPrefix("0"))
  }

  private static func isAllDigits(_ part: Substring) -> Bool {
    !part.isEmpty && part.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
  }

  private static func isIdentifier(_ part: Substring) -> Bool {
    !part.isEmpty && part.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
  }
}

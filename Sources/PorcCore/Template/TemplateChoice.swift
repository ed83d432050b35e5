import HCL

/// Which of a catalog's templates a name and a version mean.
public enum TemplateChoice {
  /// Why none of them can be taken.
  public struct Problem: Error, Sendable, Hashable {
    public enum Part: Sendable { case name, version }

    /// What is wrong: there is no such template, or no such version of it.
    public var part: Part
    public var message: String
    public var fix: String
  }

  /// The exact version named, or the newest active one that fits the constraint, else the newest deprecated one.
  ///
  /// - Parameter constraint: absent where any version will do; then a pre-release is taken only if there is nothing else.
  public static func template(
    named name: String, _ constraint: VersionConstraint?, in catalog: [Template]
  ) throws(Problem) -> Template {
    let ofName = catalog.filter { $0.name == name }
    guard !ofName.isEmpty else { throw noTemplate(named: name, in: catalog) }
    let fitting = ofName.filter { constraint?.allows($0.version) ?? true }.sorted { $0.version > $1.version }
    let offered = fitting.filter { $0.status != .retired }
    let active = offered.filter { $0.status == .active }
    let release = constraint == nil ? active.first { $0.version.prerelease.isEmpty } : nil
    if let template = release ?? active.first ?? offered.first { return template }
    let versions = ofName.filter { $0.status != .retired }.map(\.version).sorted(by: >).prefix(10)
    let fix =
      versions.isEmpty
      ? "All its versions are retired." : "There are: \(versions.map(\.description).joined(separator: ", "))."
    guard let constraint else {
      throw Problem(part: .version, message: "The template '\(name)' is retired: it takes no new run.", fix: fix)
    }
    let message =
      fitting.isEmpty
      ? "The template '\(name)' has no version that fits '\(constraint)'."
      : "The version of '\(name)' that fits '\(constraint)' is retired: it takes no new run."
    throw Problem(part: .version, message: message, fix: fix)
  }

  private static func noTemplate(named name: String, in catalog: [Template]) -> Problem {
    let names = Set(catalog.map(\.name)).sorted()
    let near = Suggestion.closest(to: name, among: names)
    let fix =
      near.map { "Did you mean '\($0)'?" }
      ?? (names.isEmpty ? "The catalog is empty." : "Choose one of: \(names.prefix(20).joined(separator: ", ")).")
    return Problem(part: .name, message: "There is no template '\(name)'.", fix: fix)
  }
}

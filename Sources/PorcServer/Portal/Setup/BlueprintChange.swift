import PortPortal

/// How a blueprint that is in Port becomes what PORC needs, without touching what others made of it. Pure.
///
/// PORC's are the type and format of its own properties, the values of its enumerations, whether they are required, and
/// its relation. Titles, descriptions, icons and colours are whoever's changed them; other properties, relations, and
/// what Port computes are nobody's business here.
struct BlueprintChange: Equatable {
  /// The blueprint as it should be.
  private(set) var merged: Portal.Blueprint
  /// What becomes other, in words.
  private(set) var differences: [String] = []
  /// What cannot be mended from here, in words.
  private(set) var conflicts: [String] = []
  /// What will make Port refuse entities of PORC's.
  private(set) var warnings: [String] = []

  private let existing: Portal.Blueprint

  init(from existing: Portal.Blueprint, to wanted: Portal.Blueprint) {
    self.existing = existing
    merged = existing
    for (key, property) in wanted.schema.properties.sorted(by: { $0.key < $1.key }) { merge(key, property) }
    for (key, relation) in wanted.relations.sorted(by: { $0.key < $1.key }) { merge(key, relation) }
    mergeRequired(wanted)
    warn(wanted)
  }

  /// What has to be sent; `nil` where the blueprint is as it should be. Port takes each part as a whole.
  var patch: Portal.Blueprint.Patch? {
    guard !differences.isEmpty else { return nil }
    var patch = Portal.Blueprint.Patch()
    if merged.schema != existing.schema { patch.schema = merged.schema }
    if merged.relations != existing.relations { patch.relations = merged.relations }
    return patch
  }

  // MARK: Properties

  private mutating func merge(_ key: String, _ wanted: JSON) {
    for (kind, properties) in [
      ("mirror", existing.mirrorProperties), ("calculation", existing.calculationProperties),
      ("aggregation", existing.aggregationProperties),
    ] where properties[key] != nil {
      conflicts.append("'\(key)' is a \(kind) property there, and PORC writes it.")
      return
    }
    guard let there = existing.schema.properties[key], var members = there.object else {
      merged.schema.properties[key] = wanted
      differences.append("adds '\(key)'")
      return
    }
    guard there["type"] == wanted["type"] else {
      let (theirs, ours) = (there["type"]?.string ?? "nothing", wanted["type"]?.string ?? "nothing")
      conflicts.append("'\(key)' has the type \(theirs) there, and PORC writes the type \(ours).")
      return
    }
    mergeFormat(key, &members, wanted)
    mergeValues(key, &members, wanted)
    if let items = wanted["items"] {
      guard let theirs = there["items"], theirs["type"] != nil else {
        members["items"] = items
        differences.append("'\(key)' says what its items are")
        merged.schema.properties[key] = .object(members)
        return
      }
      if theirs["type"] != items["type"] {
        conflicts.append("'\(key)' is a list of \(theirs["type"]?.string ?? "something else") there.")
      }
    }
    merged.schema.properties[key] = .object(members)
  }

  /// Those that any text fits.
  private static let lenientFormats: Set = ["markdown", "yaml", "team"]

  private mutating func mergeFormat(_ key: String, _ members: inout [String: JSON], _ wanted: JSON) {
    let (theirs, ours) = (members["format"]?.string, wanted["format"]?.string)
    guard theirs != ours else { return }
    if ours == nil, let theirs, Self.lenientFormats.contains(theirs) { return }
    members["format"] = ours.map(JSON.string)
    differences.append(ours.map { "'\(key)' gets the format \($0)" } ?? "'\(key)' loses the format \(theirs ?? "")")
  }

  /// Values that others added stay, and so do colours that are there.
  private mutating func mergeValues(_ key: String, _ members: inout [String: JSON], _ wanted: JSON) {
    guard let ours = wanted["enum"]?.array else { return }
    let theirs = members["enum"]?.array ?? []
    let missing = ours.filter { !theirs.contains($0) }
    if !missing.isEmpty {
      members["enum"] = .array(theirs + missing)
      differences.append("'\(key)' gets the values \(missing.compactMap(\.string).joined(separator: ", "))")
    }
    let colors = members["enumColors"]?.object ?? [:]
    let uncolored = (wanted["enumColors"]?.object ?? [:]).filter { colors[$0.key] == nil }
    if !uncolored.isEmpty {
      members["enumColors"] = .object(colors.merging(uncolored) { theirs, _ in theirs })
      if missing.isEmpty {
        differences.append("'\(key)' gets colours for \(uncolored.keys.sorted().joined(separator: ", "))")
      }
    }
  }

  // MARK: Relations, and what is required

  private mutating func merge(_ key: String, _ wanted: Portal.Blueprint.Relation) {
    guard var there = existing.relations[key] else {
      merged.relations[key] = wanted
      differences.append("adds the relation '\(key)'")
      return
    }
    guard there.target == wanted.target, there.many == wanted.many else {
      let number = there.many ? "several" : "one"
      conflicts.append(
        "The relation '\(key)' leads to \(number) of '\(there.target)' there, not to '\(wanted.target)'.")
      return
    }
    if there.required != wanted.required {
      there.required = wanted.required
      merged.relations[key] = there
      differences.append("the relation '\(key)' is not required any more")
    }
  }

  private mutating func mergeRequired(_ wanted: Portal.Blueprint) {
    let ours = wanted.schema.required
    let theirs = existing.schema.required
    let superfluous = theirs.filter { wanted.schema.properties[$0] != nil && !ours.contains($0) }
    let missing = ours.filter { !theirs.contains($0) }
    guard !superfluous.isEmpty || !missing.isEmpty else { return }
    merged.schema.required = theirs.filter { !superfluous.contains($0) } + missing
    differences += missing.map { "'\($0)' is required" }
    differences += superfluous.map { "'\($0)' is not required any more, since it has no value at times" }
  }

  private mutating func warn(_ wanted: Portal.Blueprint) {
    for key in existing.schema.required where wanted.schema.properties[key] == nil {
      if existing.schema.properties[key]?["default"] != nil { continue }
      warnings.append("Port takes no new entity without '\(key)', which PORC does not write.")
    }
    for (key, relation) in existing.relations.sorted(by: { $0.key < $1.key })
    where relation.required && wanted.relations[key] == nil {
      warnings.append("Port takes no new entity without the relation '\(key)', which PORC does not write.")
    }
    for (key, property) in existing.schema.properties.sorted(by: { $0.key < $1.key }) {
      if let ours = wanted.schema.properties[key], ours["enum"] == nil, property["enum"] != nil {
        warnings.append("Port takes only some values of '\(key)', which PORC takes from blueprints.")
      }
    }
  }
}

import Archive
import HCL
import PorcCore

/// Follows a template's calls of local modules, near and far, and gathers what of them is around its folder: TFE gets the
/// template's folder as the root, and nothing beside it.
///
/// Whoever reads the source asks what is ``wanted``, gives it with ``take(_:content:files:)``, and goes on until nothing
/// is wanted any more.
///
/// Paths are followed by their names, as Terraform does; what lies behind a symbolic link is not looked at.
struct ModuleReach {
  /// What may be around a template's folder.
  enum Surroundings {
    /// Nothing: modules of registries stand for themselves.
    case nothing
    case repository
    /// The folder that is the source.
    case folder
  }

  /// What a template may hold together with all that it takes along.
  struct Limits {
    var entries: Int
    var bytes: Int
  }

  /// The parts of a path from the root of the repository.
  private typealias Path = [String]

  /// A module that was called.
  private struct Called: Hashable {
    /// Whether it is the template's own copy, rather than the one in what is taken along.
    var isOwn: Bool
    var folder: Path
  }

  /// Where a call is written.
  private struct Origin {
    var name: String
    var file: String
    var line: Int
    var column: Int
  }

  private struct Folder {
    var content: String
    var entries: [ArchiveEntry]
    var bytes: Int
  }

  /// How many folders one template may take along.
  static let maximumFolders = 1_000

  private let place: Path
  private let surroundings: Surroundings
  private let limits: Limits
  private let ownEntries: Int
  private let ownBytes: Int
  private let ownLinks: Set<Path>

  /// The files of the folders that are here, by name.
  private var ownFiles: [Path: [String: [UInt8]]] = [:]
  private var files: [Path: [String: [UInt8]]] = [:]
  /// What is taken along; none of them is in another.
  private var folders: [Path: Folder] = [:]
  private var seen: Set<Called> = []
  private var agenda: [Called] = []
  /// Folders to be had, with a call of each.
  private var waiting: [Path: Origin] = [:]
  /// What the override file of a folder of the template's says, by the call's name.
  private var overrides: [Path: [String: String]] = [:]
  private var findings: [Finding] = []
  private var isMissingAny = false
  /// Why all of it is given up. Nothing more is wanted then, or kept.
  private(set) var refusal: ModuleRefusal?

  /// - Parameters:
  ///   - place: the template's folder in the repository, or in the source's folder; empty for the root.
  ///   - entries: what is in it.
  init(
    of entries: [ArchiveEntry], at place: String, in surroundings: Surroundings,
    limits: Limits = Limits(entries: .max, bytes: .max)
  ) {
    self.place = surroundings == .nothing ? [] : Self.parts(of: place)
    self.surroundings = surroundings
    self.limits = limits
    ownEntries = entries.count
    ownBytes = entries.reduce(0) { $0 + $1.bytes.count }
    ownLinks = Set(entries.filter { $0.linkTarget != nil }.map { Self.parts(of: $0.path) })
    Self.add(entries, at: self.place, to: &ownFiles)
    refuseReservedNames(in: entries)
    agenda = [Called(isOwn: true, folder: self.place)]
    seen = Set(agenda)
    follow()
  }

  /// Whether any call in these files may lead up; most modules have none, and need no such walk.
  static func mayLeadUp(_ entries: [ArchiveEntry]) -> Bool {
    entries.contains { entry in
      guard entry.path.hasSuffix(".tf") || entry.path.hasSuffix(".tf.json") else { return false }
      return entry.bytes.withUnsafeBufferPointer { bytes in
        // '..', or an escape that may spell it.
        (1..<max(1, bytes.count)).contains { index in
          (bytes[index] == UInt8(ascii: ".") && bytes[index - 1] == UInt8(ascii: "."))
            || (bytes[index - 1] == UInt8(ascii: "\\") && bytes[index] | 0x20 == UInt8(ascii: "u"))
        }
      }
    }
  }

  // MARK: What is to be had

  /// The folders that are to be taken along next, as paths from the root (itself: empty), in order; none is in another.
  var wanted: [String] {
    guard refusal == nil else { return [] }
    var top: [Path] = []
    for path in waiting.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      if let last = top.last, path.starts(with: last) { continue }
      top.append(path)
    }
    return top.map { $0.joined(separator: "/") }
  }

  /// Takes a folder that was wanted along.
  ///
  /// - Parameters:
  ///   - content: names its content; `nil` if there is no such folder.
  ///   - files: what is in it, or why that cannot be had.
  mutating func take(_ path: String, content: String?, files found: Result<[ArchiveEntry], ModuleRefusal>) {
    guard refusal == nil else { return }
    let folder = Self.parts(of: path)
    let settled = waiting.filter { $0.key.starts(with: folder) }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    for (key, _) in settled { waiting[key] = nil }
    guard let content else {
      for (key, origin) in settled { reportMissing(key, origin) }
      return
    }
    switch found {
    case .failure(let refused):
      refuse("What it calls in '\(path)' cannot be taken along: \(refused.message)", refused.fix)
    case .success(let entries):
      do {
        // No link leads out of the folder, whatever is around it in the archive.
        _ = try entries.subtree("")
      } catch {
        return refuse("What it calls in '\(path)' cannot be taken along: \(error)", "Mend or remove it.")
      }
      for key in folders.keys where key.starts(with: folder) { folders[key] = nil }
      folders[folder] = Folder(
        content: content, entries: entries, bytes: entries.reduce(0) { $0 + $1.bytes.count })
      guard checkLimits() else { return }
      Self.add(entries, at: folder, to: &files)
      for (key, origin) in settled { visit(Called(isOwn: false, folder: key), from: origin) }
      follow()
    }
  }

  // MARK: What came of it

  /// All that was gathered.
  ///
  /// - Throws: a `ModuleRefusal` where the template cannot be had with what it calls.
  func gathered() throws(ModuleRefusal) -> TakenAlong {
    if let refusal { throw refusal }
    var along = TakenAlong()
    along.findings = findings.sorted { ($0.message, $0.line ?? 0) < ($1.message, $1.line ?? 0) }
    guard findings.isEmpty else {
      along.mayBeReadLater = isMissingAny && isUnseen
      return along
    }
    for (path, folder) in folders {
      along.folders[path.joined(separator: "/")] = folder.content
      let prefix = ([Bundle.repositoryFolder] + path).joined(separator: "/")
      along.entries += folder.entries.map { entry in
        var entry = entry
        entry.path = "\(prefix)/\(entry.path)"
        return entry
      }
    }
    for (folder, sources) in overrides {
      let path = (folder.dropFirst(place.count) + [Bundle.overrideFile]).joined(separator: "/")
      along.entries.append(ArchiveEntry(path: path, text: Bundle.overrideText(sources)))
    }
    return along
  }

  // MARK: -

  private mutating func follow() {
    while refusal == nil, !Task.isCancelled, let called = agenda.popLast() {
      let module = (called.isOwn ? ownFiles : files)[called.folder].map { Module.read(files: $0) }
      for call in module?.moduleCalls ?? [] {
        guard let source = call.source, call.isLocal || Self.isOfMachine(source) else { continue }
        let shown = called.isOwn ? Array(called.folder.dropFirst(place.count)) : called.folder
        let origin = Origin(
          name: call.name, file: (shown + [call.file]).joined(separator: "/"), line: call.position.line,
          column: call.position.column)
        guard call.isLocal, let target = Self.resolve(source, from: called.folder) else {
          findings.append(outside(origin))
          continue
        }
        if called.isOwn {
          followOwn(call.name, source, to: target, from: called.folder, origin)
        } else {
          visit(Called(isOwn: false, folder: target), from: origin)
        }
      }
    }
  }

  /// A call in the template's own folder, which may lead out of it.
  private mutating func followOwn(
    _ name: String, _ source: String, to target: Path, from folder: Path, _ origin: Origin
  ) {
    let inner = Array(folder.dropFirst(place.count))
    if Self.resolve(source, from: inner) != nil { return visit(Called(isOwn: true, folder: target), from: origin) }
    // The root has another name in TFE: what goes out and comes back must not go out.
    let isBack = target.starts(with: place)
    let inArchive = isBack ? Array(target.dropFirst(place.count)) : [Bundle.repositoryFolder] + target
    let source = inner.isEmpty ? ["."] : inner.map { _ in ".." }
    // Without the slash at its end '.' would not be a folder to Terraform.
    overrides[folder, default: [:]][name] = (source + inArchive).joined(separator: "/") + (inArchive.isEmpty ? "/" : "")
    refuseLaterOverrides(in: folder)
    if isBack, ownFiles[target] == nil, !isBehindLink(inArchive) { return reportMissing(target, origin) }
    visit(Called(isOwn: isBack, folder: target), from: origin)
  }

  private mutating func visit(_ called: Called, from origin: Origin) {
    guard refusal == nil else { return }
    if called.isOwn || isHere(called.folder) {
      guard seen.insert(called).inserted else { return }
      if !called.isOwn, files[called.folder] == nil { return reportMissing(called.folder, origin) }
      agenda.append(called)
    } else if waiting[called.folder] == nil {
      guard Self.isPlausible(called.folder) else { return reportMissing(called.folder, origin) }
      waiting[called.folder] = origin
      if waiting.count + folders.count > Self.maximumFolders {
        refuse(
          "It calls modules in more than \(Self.maximumFolders) folders around its own.", "Let it call fewer.")
      }
    }
  }

  /// Whether a look at the source does not show what changes around the template: a folder source is looked at only where
  /// its templates are, and in what they have taken along.
  private var isUnseen: Bool { surroundings == .folder }

  /// Whether a folder is in one that was taken along.
  private func isHere(_ folder: Path) -> Bool {
    (0...folder.count).contains { folders[Array(folder.prefix($0))] != nil }
  }

  private func isBehindLink(_ path: Path) -> Bool {
    (0...path.count).contains { ownLinks.contains(Array(path.prefix($0))) }
  }

  private mutating func refuse(_ message: String, _ fix: String) {
    refusal = ModuleRefusal(message: message, fix: fix, isPassing: isUnseen)
    (agenda, waiting, folders, files) = ([], [:], [:], [:])
  }

  private mutating func checkLimits() -> Bool {
    let bytes = folders.values.reduce(ownBytes) { $0 + $1.bytes }
    let entries = folders.values.reduce(ownEntries) { $0 + $1.entries.count }
    if bytes > limits.bytes {
      refuse(
        "With the modules that it calls around its folder, its files are over \(limits.bytes) bytes together.",
        "Call modules in smaller folders, or raise the limit.")
    } else if entries > limits.entries {
      refuse(
        "With the modules that it calls around its folder, it has more than \(limits.entries) files.",
        "Call modules in smaller folders, or raise the limit.")
    }
    return refusal == nil
  }

  // MARK: Findings

  private func outside(_ origin: Origin) -> Finding {
    switch surroundings {
    case .nothing:
      finding(
        origin, "is outside of the template's folder, where it is not taken along.",
        "Move it into the folder, or call it from a registry or a repository.")
    case .repository:
      finding(
        origin, "is outside of the repository.",
        "Move it into the repository, or call it from a registry or another repository.")
    case .folder:
      finding(
        origin, "is outside of the source's folder.",
        "Move it into the source's folder, or call it from a registry or a repository.")
    }
  }

  private mutating func reportMissing(_ folder: Path, _ origin: Origin) {
    isMissingAny = true
    let path = String(
      folder.joined(separator: "/").unicodeScalars.map {
        $0.properties.generalCategory == .control ? "?" : Character($0)
      })
    let place = surroundings == .repository ? "the repository" : "the source's folder"
    let finding = finding(
      origin, "is in '\(path.count > 200 ? path.prefix(200) + "…" : path)', where \(place) has no module.",
      "Name a folder that is there. Symbolic links are not followed, nor names with control characters or '${'.")
    findings.append(finding)
  }

  private func finding(_ origin: Origin, _ text: String, _ fix: String) -> Finding {
    Finding(
      at: "", "\(origin.file): the module '\(origin.name)' \(text)", fix: fix, line: origin.line,
      column: origin.column)
  }

  private mutating func refuseReservedNames(in entries: [ArchiveEntry]) {
    let folder = Bundle.repositoryFolder
    if entries.contains(where: { $0.path == folder || $0.path.hasPrefix("\(folder)/") }) {
      findings.append(Finding(at: "", "\(folder): this name is PORC's own.", fix: "Rename it."))
    }
    // In the root it is told of with the other files there.
    for entry in entries where entry.path.hasSuffix("/\(Bundle.overrideFile)") {
      findings.append(Finding(at: "", "\(entry.path): this file's name is PORC's own.", fix: "Rename it."))
    }
  }

  /// What is read after PORC's file could undo it.
  private mutating func refuseLaterOverrides(in folder: Path) {
    for name in (ownFiles[folder] ?? [:]).keys.sorted()
    where name.hasSuffix("_override.tf") || name.hasSuffix("_override.tf.json") {
      guard Bundle.overrideFile.utf8.lexicographicallyPrecedes(name.utf8) else { continue }
      let path = (folder.dropFirst(place.count) + [name]).joined(separator: "/")
      let finding = Finding(
        at: "", "\(path): is read after \(Bundle.overrideFile), which PORC adds for the modules outside.",
        fix: "Give the file a name that sorts before it.")
      if !findings.contains(finding) { findings.append(finding) }
    }
  }

  // MARK: Paths

  /// Whether a source names a place of the machine that Terraform runs on: `/srv`, `file:///srv`, and these behind a
  /// getter's name, as in `git::file:///srv` (https://developer.hashicorp.com/terraform/language/modules/sources).
  private static func isOfMachine(_ source: String) -> Bool {
    let getter = source.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) }
    let isForced = !getter.isEmpty && source[getter.endIndex...].hasPrefix("::")
    let place = isForced ? source[getter.endIndex...].dropFirst(2) : source[...]
    return place.hasPrefix("/") || place.lowercased().hasPrefix("file:") || isForced && place.hasPrefix(".")
  }

  /// - Returns: the folder that a local source names; `nil` if it is above the root.
  private static func resolve(_ source: String, from folder: Path) -> Path? {
    var folder = folder
    for part in parts(of: source) {
      if part != ".." {
        folder.append(part)
      } else if folder.popLast() == nil {
        return nil
      }
    }
    return folder
  }

  private static func parts(of path: String) -> Path {
    // By bytes: a character may be more than its slash.
    path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }.filter { $0 != "." }
  }

  private static func isPlausible(_ folder: Path) -> Bool {
    let path = folder.joined(separator: "/")
    return path.utf8.count <= 1_000 && (path.isEmpty || !Bundle.leavesOut(path))
      && !path.unicodeScalars.contains { $0.properties.generalCategory == .control || $0 == "\\" }
      // Terraform would take these for its own.
      && !path.contains("${") && !path.contains("%{")
  }

  private static func add(_ entries: [ArchiveEntry], at folder: Path, to files: inout [Path: [String: [UInt8]]]) {
    for entry in entries where entry.linkTarget == nil {
      let parts = parts(of: entry.path)
      guard let name = parts.last else { continue }
      files[folder + parts.dropLast(), default: [:]][name] = entry.bytes
    }
  }
}

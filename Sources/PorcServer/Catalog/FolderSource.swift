import Archive
import Foundation
import PorcCore

/// Templates in a folder of this machine: `NAME/VERSION/`, each holding a Terraform module.
struct FolderSource: Sendable {
  let folder: String

  /// How the source is named in the database and in messages.
  var name: String { "folder:\(folder)" }

  /// What a reading found. A module with an error is left out and harms no other.
  struct Reading: Sendable {
    var templates: [Template] = []
    /// By their digest.
    var archives: [String: Data] = [:]
    /// With the module path in each pointer.
    var findings: [Finding] = []
    /// Whether there was no folder at all that may be a module.
    var isEmpty = true
  }

  /// - Throws: a fault if the folder cannot be read.
  func read() throws -> Reading {
    var reading = Reading()
    var slugs: [Template.ID: String] = [:]
    for path in try modulePaths() {
      reading.isEmpty = false
      if let place = leadsOut(path) {
        reading.findings.append(
          Finding(
            at: "", "\(path): is a symbolic link to \(place), out of the templates' folder.",
            fix: "Put the module into the folder, or name its folder as a source of its own."))
        continue
      }
      do {
        let read = try module(path)
        reading.findings += read.findings.map { finding in
          var finding = finding
          finding.message = "\(path): \(finding.message)"
          return finding
        }
        guard let template = read.template else { continue }
        if let other = slugs[template.id] {
          reading.findings.append(
            Finding(
              at: "", "\(path): has the same identifier '\(template.id)' as \(other).", fix: "Rename one of them."))
          continue
        }
        slugs[template.id] = path
        reading.templates.append(template)
        reading.archives[template.archive] = read.archive
      } catch let error as ArchiveError {
        reading.findings.append(Finding(at: "", "\(path): \(error.description)", fix: "Mend or remove it."))
      }
    }
    return reading
  }

  /// `NAME/VERSION` of every folder that may be a module, in byte order. Hidden ones do not count.
  ///
  /// What a link that leads out of the folder names is not looked into: it is one path, whatever is there.
  private func modulePaths() throws -> [String] {
    let files = FileManager.default
    func folders(_ path: String) throws -> [String] {
      try files.contentsOfDirectory(atPath: path).filter { name in
        var isFolder: ObjCBool = false
        return !name.hasPrefix(".") && files.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
          && isFolder.boolValue
      }
    }
    do {
      return try folders(folder).flatMap { name in
        if leadsOut(name) != nil { return [name] }
        return try folders("\(folder)/\(name)").map { "\(name)/\($0)" }
      }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    } catch {
      throw Fault(
        .notFound, "The templates' folder '\(folder)' cannot be read.", fix: "Check the path and its rights.",
        cause: error)
    }
  }

  /// Where a path below the folder really is, if that is not below the folder.
  private func leadsOut(_ path: String) -> String? {
    let root = URL(filePath: folder).resolvingSymlinksInPath().path
    let place = URL(filePath: "\(folder)/\(path)").resolvingSymlinksInPath().path
    return place.hasPrefix(root + "/") ? nil : place
  }

  private func module(_ path: String) throws -> (template: Template?, archive: Data, findings: [Finding]) {
    let entries = try TarGzip.entries(ofFolder: "\(folder)/\(path)", excluding: Bundle.leavesOut)
    let archive = Data(try TarGzip.pack(entries))
    let ownFiles = entries.filter { !$0.path.contains("/") && $0.linkTarget == nil }
    let origin = Template.Origin(
      modulePath: path, files: Dictionary(ownFiles.map { ($0.path, $0.bytes) }, uniquingKeysWith: { $1 }),
      archive: Digest.sha256(archive), source: name)
    let read = Template.read(origin)
    let outside = ModuleReach.findings(in: entries)
    return (outside.isEmpty ? read.template : nil, archive, read.findings + outside)
  }
}

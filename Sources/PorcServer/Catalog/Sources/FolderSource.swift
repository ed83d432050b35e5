import Archive
import Foundation
import PorcCore

/// Templates in a folder of this machine: `NAME/VERSION/`, each holding a Terraform module.
struct FolderSource: ModuleSource {
  let name: String
  let folder: String
  /// Folders, as paths below the source's, that its templates were found to take along: a look goes to them too.
  var outerFolders: Set<String> = []

  func look() async throws -> any ModuleView { try View(source: self) }

  /// The folder with the stamps of all its modules.
  private struct View: ModuleView {
    let source: FolderSource
    let listing: ModuleListing
    let fingerprint: String

    init(source: FolderSource) throws {
      self.source = source
      var listing = ModuleListing()
      for path in try source.modulePaths() {
        if let place = source.leadsOut(path) {
          listing.findings.append(
            Finding(
              at: "", "\(path): is a symbolic link to \(place), out of the templates' folder.",
              fix: "Put the module into the folder, or name its folder as a source of its own."))
          continue
        }
        do {
          let stamp = try TarGzip.stamp(ofFolder: "\(source.folder)/\(path)", excluding: Bundle.leavesOut)
          listing.modules.append(ListedModule(path: path, content: Digest.sha256(Data(stamp.utf8)), place: path))
        } catch {
          listing.findings.append(Finding(at: "", "\(path): \(error.description)", fix: "Mend or remove it."))
        }
      }
      self.listing = listing
      var lines = listing.modules.map { "\($0.path) \($0.content)" } + listing.findings.map(\.message)
      lines += source.outerFolders.sorted().map { "\($0) \(source.content(of: $0) ?? "")" }
      fingerprint = Digest.sha256(Data(lines.joined(separator: "\n").utf8))
    }

    func list() async throws -> ModuleListing { listing }

    func contents(of folders: [OuterFolder]) async throws -> [String?] {
      folders.map { source.content(of: $0.path) }
    }

    func read(_ modules: [ListedModule], _ take: (ReadModule) async throws -> Void) async throws {
      for module in modules {
        do {
          let entries = try TarGzip.entries(
            ofFolder: "\(source.folder)/\(module.place)", excluding: Bundle.leavesOut)
          guard ModuleReach.mayLeadUp(entries) else {
            try await take(ReadModule(module: module, files: .success(entries)))
            continue
          }
          try await take(ReadModule(module: module, files: entries, source.reach(of: entries, at: module.place)))
        } catch let error as ArchiveError {
          let refusal = ModuleRefusal(message: error.description, fix: "Mend or remove it.")
          try await take(ReadModule(module: module, files: .failure(refusal)))
        }
      }
    }
  }

  // MARK: What is around modules

  /// Reads all that a module takes along.
  private func reach(of entries: [ArchiveEntry], at place: String) -> ModuleReach {
    let limits = TarGzip.Limits()
    var reach = ModuleReach(
      of: entries, at: place, in: .folder, limits: .init(entries: limits.entries, bytes: limits.totalBytes))
    while case let wanted = reach.wanted, !wanted.isEmpty {
      for path in wanted where reach.refusal == nil {
        // Before it is read: a change meanwhile shows at the next look.
        let content = content(of: path)
        reach.take(path, content: content, files: content == nil ? .success([]) : files(in: path))
      }
    }
    return reach
  }

  private func files(in path: String) -> Result<[ArchiveEntry], ModuleRefusal> {
    do {
      return .success(try TarGzip.entries(ofFolder: "\(folder)/\(path)", excluding: Bundle.leavesOut))
    } catch {
      let message = (error as? ArchiveError)?.description ?? "It cannot be read."
      return .failure(ModuleRefusal(message: message, fix: "Mend or remove it."))
    }
  }

  /// Names the content of a folder below the source's; nil if there is none, or it lies behind a symbolic link.
  private func content(of path: String) -> String? {
    let files = FileManager.default
    var place = folder
    for part in path.split(separator: "/") {
      place += "/\(part)"
      let type = try? files.attributesOfItem(atPath: place)[.type] as? FileAttributeType
      guard type == .typeDirectory else { return nil }
    }
    guard let stamp = try? TarGzip.stamp(ofFolder: "\(folder)/\(path)", excluding: Bundle.leavesOut) else { return nil }
    return Digest.sha256(Data(stamp.utf8))
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
}

import Archive
import Foundation
import PorcCore

/// Makes templates of modules' files. Pure, but for the time it takes.
enum TemplateReader {
  /// Raised whenever a module may be read otherwise than before: then all are read again.
  static let version = 2

  /// A module as it goes into the catalog; without a template where an error keeps it out.
  struct Outcome: Sendable {
    var template: Template?
    /// Whether it is worth reading again though nothing has changed.
    var mayBeReadLater = false
    var archive = Data()
    /// See ``TakenAlong/stamp``.
    var outerFolders = ""
    /// Each message begins with the module's path.
    var findings: [Finding] = []
  }

  /// - Throws: `CancellationError`; a large module takes seconds.
  static func read(_ read: ReadModule, in listing: ModuleListing, of source: String) throws -> Outcome {
    let path = read.module.path
    var outcome = Outcome()
    do {
      try Task.checkCancellation()
      let entries = try read.files.get()
      // Where the source has nothing around the module, or nothing there is called, there is still what cannot be had.
      let along = try read.along ?? ModuleReach(of: entries, at: "", in: .nothing).gathered()
      outcome.outerFolders = along.stamp
      outcome.archive = Data(try TarGzip.pack(entries + along.entries))
      try Task.checkCancellation()
      let ownFiles = entries.filter { !$0.path.contains("/") && $0.linkTarget == nil }
      var origin = Template.Origin(
        modulePath: path, files: Dictionary(ownFiles.map { ($0.path, $0.bytes) }, uniquingKeysWith: { $1 }),
        remote: listing.remote, commit: read.module.commit, archive: Digest.sha256(outcome.archive), source: source)
      origin.isWholeRepository = read.module.place.isEmpty
      origin.content = read.module.content
      origin.owner = listing.owners?.owner(of: read.module.place.isEmpty ? "main.tf" : "\(read.module.place)/main.tf")
      let (template, findings) = Template.read(origin)
      try Task.checkCancellation()
      outcome.template = along.findings.isEmpty ? template : nil
      outcome.mayBeReadLater = along.mayBeReadLater
      if read.module.isDeprecated, template?.status == .active { outcome.template?.status = .deprecated }
      outcome.findings = (findings + along.findings).map { $0.of(path) }
    } catch let refusal as ModuleRefusal {
      outcome.mayBeReadLater = refusal.isPassing
      outcome.findings = [Finding(at: "", "\(path): \(refusal.message)", fix: refusal.fix)]
    } catch let error as CancellationError {
      throw error
    } catch {
      let message = (error as? ArchiveError)?.description ?? "It cannot be packed."
      outcome.findings = [Finding(at: "", "\(path): \(message)", fix: "Mend or remove it.")]
    }
    return outcome
  }
}

extension Finding {
  /// As a finding about a module of a source.
  func of(_ path: String) -> Finding {
    var finding = self
    finding.message = "\(path): \(message)"
    return finding
  }
}

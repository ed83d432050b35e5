import Foundation
import Git
import TestKit

/// A folder with a repository and mirrors of it.
final class Bench: Sendable {
  let folder: TemporaryFolder
  let repository: GitRepository

  init() async throws {
    folder = try TemporaryFolder()
    repository = try await GitRepository(folder.file("remotes/modules.git").path)
  }

  var remotes: String { folder.file("remotes").path }

  /// A mirror over a path, or over HTTP from `url`.
  func mirror(
    at url: String? = nil, credentials: Credentials = .none, name: String = "mirror", limits: Limits = Limits(),
    environment: [String: String]? = nil
  ) throws -> Mirror {
    let remote = try RemoteURL(url.map { $0 + "/modules.git" } ?? repository.path, allowing: .localPaths)
    return try Mirror(
      remote: remote, credentials: credentials, folder: folder.file(name), limits: limits,
      environment: environment ?? ProcessInfo.processInfo.environment)
  }

  /// Bytes in the packs of a mirror.
  func packedBytes(name: String = "mirror") throws -> Int {
    let packs = folder.file("\(name)/git/objects/pack").path
    return try FileManager.default.contentsOfDirectory(atPath: packs).reduce(0) { sum, file in
      sum + (try FileManager.default.attributesOfItem(atPath: "\(packs)/\(file)")[.size] as? Int ?? 0)
    }
  }
}

extension Mirror {
  /// The files below a folder of a commit, as text by path; a link as `-> TARGET`.
  func texts(_ commit: ObjectID, _ path: String = "") async throws -> [String: String] {
    guard let tree = try await trees(of: [Place(commit: commit, path: path)])[0] else { return [:] }
    guard let contents = try await contents(of: tree) else { return [:] }
    return Dictionary(
      uniqueKeysWithValues: contents.files.map { file in
        (file.path, file.linkTarget.map { "-> \($0)" } ?? String(decoding: file.bytes, as: UTF8.self))
      })
  }

  func contents(of tree: ObjectID) async throws -> TreeContents? {
    var reader = try await read([tree])
    return try await reader.next()
  }

  /// What a sync of one branch does first.
  func fetchBranch(_ name: String = "main") async throws -> Reference? {
    guard let branch = try await references(withHead: false).branches[name] else { return nil }
    try await fetch([branch])
    return branch
  }
}

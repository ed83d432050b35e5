import Foundation
import Processes

/// A git repository of a test's own, made and changed with the installed git.
public struct GitRepository: Sendable {
  /// git failed.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// Where its objects are: a bare repository.
  public let path: String

  /// Makes an empty one at `path`, whose branch is `main`.
  public init(_ path: String) async throws {
    self.path = path
    try await Self.git(["init", "--quiet", "--bare", "--initial-branch=main", path])
  }

  /// Runs git in it.
  ///
  /// - Returns: what it wrote, without the last line feed.
  @discardableResult
  public func git(_ arguments: String..., input: [UInt8] = []) async throws -> String {
    try await Self.git(["-C", path] + arguments, input: input)
  }

  /// Puts files onto the branch, in one commit on top of what is there.
  ///
  /// - Parameters:
  ///   - files: contents by path; nil removes a file or a folder.
  ///   - isOrphan: whether history starts anew: what the branch had before is gone, as after a force push.
  /// - Returns: the commit's id.
  @discardableResult
  public func commit(
    _ files: [String: String?], branch: String = "main", isOrphan: Bool = false
  ) async throws -> String {
    // No such branch yet: the first commit.
    let parent = try? await git("rev-parse", "--verify", "--quiet", "refs/heads/\(branch)")
    var stream = "commit refs/heads/\(branch)\ncommitter a <a@example.com> 1700000000 +0000\ndata 0\n"
    if let parent, !isOrphan { stream += "from \(parent)\n" }
    for (path, text) in files.sorted(by: { $0.key < $1.key }) {
      if let text {
        stream += "M 100644 inline \(path)\ndata \(text.utf8.count)\n\(text)\n"
      } else {
        stream += "D \(path)\n"
      }
    }
    try await git("fast-import", "--quiet", "--force", input: Array(stream.utf8))
    return try await git("rev-parse", "refs/heads/\(branch)")
  }

  /// Names a commit; with a message it is an annotated tag.
  public func tag(_ name: String, at commit: String, message: String? = nil) async throws {
    if let message {
      try await git("tag", "--force", "--annotate", "--message", message, name, commit)
    } else {
      try await git("tag", "--force", name, commit)
    }
  }

  /// Runs git anywhere, untouched by the machine's and the user's settings.
  @discardableResult
  public static func git(_ arguments: [String], input: [UInt8] = []) async throws -> String {
    var command = Command(
      "git", arguments,
      environment: [
        "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_AUTHOR_DATE": "1700000000 +0000",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com", "GIT_COMMITTER_DATE": "1700000000 +0000",
      ])
    command.standardInput = input
    let result = try await command.capture(limit: 64 << 20)
    guard result.status.isSuccess else { throw Failure(description: "git \(arguments): \(result.errorText)") }
    return result.outputText.hasSuffix("\n") ? String(result.outputText.dropLast()) : result.outputText
  }
}

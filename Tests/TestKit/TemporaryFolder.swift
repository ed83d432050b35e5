public import Foundation

/// A folder of a test's own, which goes away with the last reference to it.
public final class TemporaryFolder: Sendable {
  /// Where it is.
  public let url: URL
  /// The same as a path.
  public var path: String { url.path }

  /// Makes an empty folder with a name nobody else has.
  public init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "porc-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    // What cannot be removed is left to the system's own clean-up: a test has no better use for the error.
    try? FileManager.default.removeItem(at: url)
  }

  /// The URL of something inside.
  public func file(_ path: String) -> URL { url.appending(path: path) }

  /// Writes `text` to a file inside, making the folders on the way.
  @discardableResult
  public func write(_ text: String, to path: String) throws -> URL {
    let file = file(path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    return file
  }
}

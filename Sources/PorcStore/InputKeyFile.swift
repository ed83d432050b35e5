import Foundation

/// The file with the key of an ``InputVault``: base64 text, for its owner's eyes only.
enum InputKeyFile {
  static func read(_ path: String) throws -> Data {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw InputVaultError.badKey(
        "The secret key file '\(path)' cannot be read: \(reason()).", fix: "Name a file that PORC's user may read.")
    }
    let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
    var status = stat()
    // Of the open file, not of the name: it cannot be exchanged in between.
    guard fstat(file, &status) == 0, status.st_mode & 0o077 == 0 else {
      throw InputVaultError.badKey(
        "The secret key file '\(path)' can be read by others than its owner.", fix: "chmod 600 \(path)")
    }
    // A key is 44 characters; whatever is much longer is none.
    let text = try handle.read(upToCount: 1024) ?? Data()
    let trimmed = String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    guard let key = Data(base64Encoded: trimmed) else {
      throw InputVaultError.badKey("The secret key file '\(path)' is not base64 text.", fix: "Name the right file.")
    }
    return key
  }

  /// Never overwrites: what was sealed with a lost key is lost.
  static func write(_ key: Data, to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      throw InputVaultError.badKey(
        "The secret key file '\(path)' cannot be made: \(reason()).",
        fix: "Keep the one that is there, or name a file in a folder that PORC's user may write.")
    }
    let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
    try handle.write(contentsOf: Data((key.base64EncodedString() + "\n").utf8))
    try handle.synchronize()
  }

  private static func reason() -> String { String(cString: strerror(errno)) }
}

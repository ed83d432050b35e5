import Foundation
import GRDB
import PorcCore

extension SQLiteStore {
  /// Opens a database, and makes it (mode 0600) with its folder (mode 0700) if it is absent.
  ///
  /// - Parameters:
  ///   - path: of the SQLite file; `-wal`, `-shm` and `.lock` files lie beside it.
  ///   - exclusively: `true` for a server, of which a file has one. `false` for a tool that may work beside it.
  /// - Throws: ``StoreError/unusable(_:fix:)``, which says why it cannot be used: not a database, another program's, a
  ///   newer PORC's, not writable, served by another process.
  public static func open(
    path: String, exclusively: Bool = true, settings: Settings = Settings()
  ) throws -> SQLiteStore {
    try makeFile(at: path)
    // Whoever comes by another name must meet the same lock.
    let path = try onlyName(of: path)
    let lock = exclusively ? try FileLock(path: path + ".lock") : nil
    do {
      let pool = try DatabasePool(path: path, configuration: configuration)
      try pool.writeWithoutTransaction { db in
        // Only now: a DatabasePool sets NORMAL when it turns WAL on, after the configuration's preparation.
        try db.execute(sql: "PRAGMA synchronous = FULL")
        if try Migration.missing(db, path: path) > 0 {
          // A server of an older PORC must not find the schema changed under its feet.
          let forMigration = exclusively ? nil : try FileLock(path: path + ".lock")
          try Migration.migrate(db, path: path)
          forMigration?.release()
        }
        // Whoever held a lease is dead: the lock says so. Its work goes on at once, not when the lease runs out.
        if exclusively { try SQLiteStore.releaseLeases(db) }
      }
      return SQLiteStore(path: path, settings: settings, pool: pool, lock: lock)
    } catch let error as DatabaseError {
      throw StoreError.translating(error, path: path)
    }
  }

  private static var configuration: Configuration {
    var configuration = Configuration()
    configuration.label = "porc"
    configuration.foreignKeysEnabled = true
    configuration.busyMode = .timeout(2)
    configuration.maximumReaderCount = 4
    return configuration
  }

  /// The file's path without links.
  ///
  /// - Throws: an error if it has other names: SQLite would keep a log beside each, and damage it
  ///   (https://www.sqlite.org/howtocorrupt.html#_multiple_links_to_the_same_file).
  private static func onlyName(of path: String) throws -> String {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink > 1 {
      throw StoreError.unusable(
        "The database '\(path)' has \(status.st_nlink) names (hard links), which would damage it.",
        fix: "Remove the others, or name a copy.")
    }
    return URL(filePath: path).resolvingSymlinksInPath().path
  }

  /// SQLite would make the file readable for all; its companions take the mode of the file itself.
  private static func makeFile(at path: String) throws {
    let folder = URL(filePath: path).deletingLastPathComponent().path
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw StoreError.unusable(
        "The folder '\(folder)' for the database cannot be made.",
        fix: "Make it, or name one that PORC's user may make.")
    }
    let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StoreError.unusable(
        "The database '\(path)' cannot be written: \(String(cString: strerror(errno))).",
        fix: "Name a file, in a folder, that PORC's user may write.")
    }
    Foundation.close(descriptor)
  }
}

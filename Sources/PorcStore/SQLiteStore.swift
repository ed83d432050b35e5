public import Foundation
import GRDB
public import PorcCore
import Synchronization

/// The store in one SQLite file, for one server.
public final class SQLiteStore: Store {
  /// What the store has to be told.
  public struct Settings: Sendable {
    /// How long a destroyed instance stays visible, in seconds.
    public var retention: TimeInterval
    /// What the portal should show of an instance; `nil` leaves it as it is. Called inside the transaction of a
    /// decision, so it must be pure and quick.
    public var entity: @Sendable (Situation) -> PortalEntity?
    /// What the portal should show of a template; as pure and quick.
    public var templateEntity: @Sendable (Template) -> PortalEntity
    /// The database's clock, which for SQLite is the process's.
    public var now: @Sendable () -> Date

    public init(
      retention: TimeInterval = 86_400, entity: @escaping @Sendable (Situation) -> PortalEntity? = { _ in nil },
      templateEntity: @escaping @Sendable (Template) -> PortalEntity = { PortalEntity($0) },
      now: @escaping @Sendable () -> Date = { Date() }
    ) {
      self.retention = retention
      self.entity = entity
      self.templateEntity = templateEntity
      self.now = now
    }
  }

  let path: String
  let settings: Settings
  let pool: DatabasePool
  let queue: CommitQueue
  let hints = ChangeHints()
  let cache = SituationCache()
  /// Only where nobody else writes.
  let live: LiveSituations?
  /// What ``catalogVersion()`` says, where nobody else writes.
  let knownCatalogVersion = Mutex<Int64?>(nil)
  /// Held as long as the store lives, where it was opened exclusively.
  private let lock: FileLock?

  init(path: String, settings: Settings, pool: DatabasePool, lock: FileLock?) {
    self.path = path
    self.settings = settings
    self.pool = pool
    self.lock = lock
    live = lock == nil ? nil : LiveSituations()
    queue = CommitQueue(pool) { [hints] in hints.give() }
  }

  public func close() async throws {
    await queue.close()
    hints.finish()
    // GRDB closes its readers last, and they cannot fold the log back: without this a copy of the file alone would lack
    // what was written last. Should a tool beside this server be reading, the next start does it.
    try? await pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
    do { try pool.close() } catch let error as DatabaseError { throw StoreError.translating(error, path: path) }
    lock?.release()
  }

  /// Whether no other process writes what this one keeps in memory.
  var isAlone: Bool { lock != nil }

  public func checkWritable() async throws {
    if let failure = queue.recentFailure {
      if let error = failure as? DatabaseError, let known = StoreError.translating(error, path: path) as? StoreError {
        throw known
      }
      throw StoreError.unusable(
        "The last write to the database '\(path)' failed.", fix: "Look whether its disk has room, and at the log.")
    }
    try await write(isNews: false) { db in try db.run("UPDATE catalog SET version = version") }
  }

  public func changes() -> AsyncStream<Void> { hints.stream() }

  /// The time of the database's clock, as precisely as it is stored.
  func now() -> Date { Timestamp.rounded(settings.now()) }

  /// Writes, together with whoever else is writing. See ``CommitQueue``.
  @discardableResult
  func write<Outcome: Sendable>(
    isNews: Bool = true, onCommit: (@Sendable (Outcome) -> Void)? = nil,
    _ work: @escaping @Sendable (Database) throws -> Outcome
  ) async throws -> Outcome {
    do {
      return try await queue.commit(isNews: isNews, onCommit: onCommit, work)
    } catch let error as DatabaseError {
      throw StoreError.translating(error, path: path)
    }
  }

  /// Reads what is committed: all of `work` sees the same moment.
  func read<Outcome: Sendable>(_ work: @escaping @Sendable (Database) throws -> Outcome) async throws -> Outcome {
    do {
      return try await pool.read(work)
    } catch let error as DatabaseError {
      throw StoreError.translating(error, path: path)
    }
  }
}

extension StoreError {
  /// What a person can do about SQLite's error, where there is something; else the error itself.
  static func translating(_ error: DatabaseError, path: String) -> any Error {
    let detail = error.message.map { " (\($0))" } ?? ""
    switch error.resultCode.primaryResultCode {
    case .SQLITE_NOTADB:
      return unusable(
        "The file '\(path)' is not a database.", fix: "Name a file that does not exist yet, or PORC's own.")
    case .SQLITE_CORRUPT:
      return unusable("The database '\(path)' is damaged\(detail).", fix: "Restore it from a backup.")
    case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      return unusable(
        "The database '\(path)' cannot be written\(detail).",
        fix: "Let PORC's user write to the file and to its folder.")
    case .SQLITE_CANTOPEN:
      return unusable(
        "The database '\(path)' cannot be opened\(detail).",
        fix: "Name a file, in a folder that PORC's user may read and write.")
    case .SQLITE_FULL:
      return unusable("The disk that holds the database '\(path)' is full.", fix: "Make room; nothing else is needed.")
    case .SQLITE_IOERR, .SQLITE_PROTOCOL, .SQLITE_NOLFS:
      return unusable(
        "The disk that holds the database '\(path)' fails\(detail).", fix: "Look at the system's log, and at the disk.")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return unusable(
        "Another process keeps the database '\(path)' locked.",
        fix: "End what else is open on it, such as a backup or a shell.")
    default:
      return error
    }
  }
}

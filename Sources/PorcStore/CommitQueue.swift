import GRDB
import Synchronization

/// The only way to write: everything that asks while a commit is under way shares the next one, so that one flush to
/// the disk serves up to ``batchLimit`` callers. There is no timer: a lone caller is committed at once.
///
/// Each piece of work runs in a savepoint of its own; one that throws fails alone. Results are handed out after the
/// commit; if that fails, everybody whose work was in it gets its error.
final class CommitQueue: Sendable {
  private struct Delivery {
    /// Why the database did not do the work.
    let failure: DatabaseError?
    let prepare: () -> Void
    let hand: (_ commitError: (any Error)?) -> Void
  }

  private struct Entry: Sendable {
    let isNews: Bool
    let run: @Sendable (Database) -> Delivery
    let fail: @Sendable (any Error) -> Void
  }

  private struct State {
    var waiting: [Entry] = []
    var isDraining = false
    /// Why the last commit that changed something failed, if it did.
    var failure: (error: any Error, at: ContinuousClock.Instant)?
    var isClosed = false
  }

  private static let batchLimit = 512

  private let pool: DatabasePool
  private let onNews: @Sendable () -> Void
  private let state = Mutex(State())

  /// - Parameter onNews: called after each commit that changed something worth looking at.
  init(_ pool: DatabasePool, onNews: @escaping @Sendable () -> Void) {
    self.pool = pool
    self.onNews = onNews
  }

  /// Runs `work` in a transaction and returns once its outcome is durable.
  ///
  /// - Parameters:
  ///   - isNews: whether others have a reason to look again afterwards.
  ///   - onCommit: called once the outcome is durable, before anybody hears of it and before anything later is written.
  /// - Throws: what `work` throws, and then nothing of it is kept; or why the commit failed.
  @discardableResult
  func commit<Outcome: Sendable>(
    isNews: Bool = true, onCommit: (@Sendable (Outcome) -> Void)? = nil,
    _ work: @escaping @Sendable (Database) throws -> Outcome
  ) async throws -> Outcome {
    try await withCheckedThrowingContinuation { continuation in
      let entry = Entry(
        isNews: isNews,
        run: { db in
          let outcome = Self.inSavepoint(db, work)
          var failure: DatabaseError?
          if case .failure(let error) = outcome { failure = error as? DatabaseError }
          return Delivery(
            failure: failure,
            prepare: { if let onCommit, case .success(let outcome) = outcome { onCommit(outcome) } },
            hand: { commitError in
              if let commitError, case .success = outcome {
                continuation.resume(throwing: commitError)
              } else {
                continuation.resume(with: outcome)
              }
            })
        },
        fail: { continuation.resume(throwing: $0) })
      add(entry)
    }
  }

  /// Why nothing could be committed, for as long as nothing was since and it is not long ago: some writes may find room
  /// on a full disk where others do not.
  var recentFailure: (any Error)? {
    state.withLock { state in
      state.failure.flatMap { $0.at.duration(to: .now) < .seconds(30) ? $0.error : nil }
    }
  }

  /// Takes nothing more, and returns once all that was asked for is committed.
  func close() async {
    state.withLock { $0.isClosed = true }
    // The database does one thing after the other: what was asked for before comes before this.
    await withCheckedContinuation { continuation in
      pool.asyncWriteWithoutTransaction { _ in continuation.resume() }
    }
  }

  private func add(_ entry: Entry) {
    enum Next { case nothing, drain, refuse }
    let next: Next = state.withLock { state in
      if state.isClosed { return .refuse }
      state.waiting.append(entry)
      if state.isDraining { return .nothing }
      state.isDraining = true
      return .drain
    }
    switch next {
    case .nothing: break
    case .drain: pool.asyncWriteWithoutTransaction { db in self.drain(db) }
    case .refuse: entry.fail(StoreError.unusable("The database is closed.", fix: "Start PORC again."))
    }
  }

  private func drain(_ db: Database) {
    while let batch = nextBatch() { commit(batch, db) }
  }

  private func nextBatch() -> ArraySlice<Entry>? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isDraining = false
        return nil
      }
      let batch = state.waiting.prefix(Self.batchLimit)
      state.waiting.removeFirst(batch.count)
      return batch
    }
  }

  private func commit(_ batch: ArraySlice<Entry>, _ db: Database) {
    var deliveries: [Delivery] = []
    var hasNews = false
    do {
      try db.beginTransaction(.immediate)
      for entry in batch {
        let changes = db.totalChangesCount
        deliveries.append(entry.run(db))
        if entry.isNews, db.totalChangesCount != changes { hasNews = true }
        // A full disk, for one, makes SQLite roll the whole transaction back
        // (https://www.sqlite.org/lang_transaction.html).
        guard db.isInsideTransaction else {
          throw DatabaseError(
            resultCode: .SQLITE_ABORT, message: "the transaction was rolled back by another's failure")
        }
      }
      try db.commit()
    } catch {
      if db.isInsideTransaction {
        // The first error is the one that matters; a transaction that stays open makes the next BEGIN fail, audibly.
        try? db.rollback()
      }
      note(deliveries.lazy.compactMap(\.failure).first ?? error)
      for delivery in deliveries { delivery.hand(error) }
      for entry in batch.dropFirst(deliveries.count) { entry.fail(error) }
      return
    }
    for delivery in deliveries { delivery.prepare() }
    for delivery in deliveries { delivery.hand(nil) }
    if let failure = deliveries.lazy.compactMap(\.failure).first {
      note(failure)
    } else if hasNews {
      state.withLock { $0.failure = nil }
    }
    if hasNews { onNews() }
  }

  private func note(_ failure: any Error) {
    // Others say nothing of the next write; a lock is seen by whoever tries next.
    let lasting: [ResultCode] = [
      .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_CORRUPT, .SQLITE_NOTADB,
    ]
    guard let code = (failure as? DatabaseError)?.resultCode.primaryResultCode, lasting.contains(code) else { return }
    state.withLock { $0.failure = (failure, .now) }
  }

  private static func inSavepoint<Outcome>(
    _ db: Database, _ work: (Database) throws -> Outcome
  ) -> Result<Outcome, any Error> {
    do {
      var outcome: Result<Outcome, any Error>?
      try db.inSavepoint {
        let result = Result { try work(db) }
        outcome = result
        if case .failure = result { return .rollback }
        return .commit
      }
      return outcome ?? .failure(CancellationError())
    } catch {
      return .failure(error)
    }
  }
}

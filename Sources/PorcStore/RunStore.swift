public import Foundation
public import PorcCore

/// Runs, instances, their events, and what a run was built from.
public protocol RunStore: Sendable {
  /// Decides about an instance and records everything that follows, in one transaction.
  ///
  /// - Parameters:
  ///   - subject: the instance, or a run of it by any id that ``locate(_:)`` takes.
  ///   - record: what to store beside the decision, in the same transaction.
  ///   - decide: gets the situation (`nil` for an instance that does not exist) and the time of the database's clock,
  ///     to the millisecond. Called once, inside the transaction: it must be pure and quick. What it throws is thrown
  ///     on, and nothing is recorded.
  /// - Throws: ``StoreError/notFound`` for a run that does not exist, and where there is no instance and nothing was
  ///   decided; ``StoreError/leaseLost`` if `record.finishing` is not held any more; ``StoreError/alreadyAnswered(_:)``
  ///   if there is an answer under the key of `record.answer`, and ``StoreError/alreadyPressed`` if `record.actionRun` is
  ///   there: `decide` is not called then.
  @discardableResult
  func decide(
    about subject: Subject, recording record: Record,
    _ decide: @escaping @Sendable (_ situation: Situation?, _ now: Date) throws -> Decision
  ) async throws -> Recorded

  /// A run by PORC's id or by a TFE run id, with its situation; `nil` if there is none. The situation of a run whose
  /// instance was removed is the one it was removed in, even if there is an instance of the same name again.
  func locate(_ runID: String) async throws -> Located?

  /// An instance that has not been removed.
  func situation(of instance: Instance.ID) async throws -> Situation?

  /// Runs, newest first.
  ///
  /// - Parameter cursor: the ``Located/run`` id of the last one seen.
  /// - Throws: ``StoreError/notFound`` if the cursor names no run.
  func runs(_ filter: RunFilter, after cursor: Run.ID?, limit: Int) async throws -> [Located]

  /// Instances that have not been removed, by identifier.
  func instances(after cursor: Instance.ID?, limit: Int) async throws -> [Situation]

  /// Events in their one order.
  ///
  /// - Parameters:
  ///   - position: the last one seen; 0 for all.
  ///   - filter: whose.
  func events(after position: Int64, of filter: EventFilter, limit: Int) async throws -> [StoredEvent]

  /// The instances of which there are events after a position: no other has changed since.
  ///
  /// - Returns: with the position that it is true of.
  func instancesChanged(after position: Int64) async throws -> (ids: Set<Instance.ID>, position: Int64)

  /// The position of the newest event, 0 if there is none.
  func lastPosition() async throws -> Int64

  /// Yields whenever something was committed, coalesced: a hint to look again, never the only way to learn of a change,
  /// since another server may have committed it. What only moves jobs (leases taken, renewed and given back) is no
  /// news. Ends when the store is closed.
  func changes() -> AsyncStream<Void>

  /// The sensitive inputs of a run, encrypted.
  func sealedInputs(of run: Run.ID) async throws -> Data?

  /// Those of all runs of an instance, in all its lives; the newest 500.
  func sealedInputs(ofRunsOf instance: Instance.ID) async throws -> [Record.SealedInputs]

  /// The stored bytes with this SHA-256 (hex): a module's archive or a run's bundle.
  func blob(_ digest: String) async throws -> Data?

  /// Stores bytes under their SHA-256; twice is once.
  func putBlob(_ bytes: Data, digest: String) async throws

  /// Takes a destroyed instance out of what is listed, and wants its entity deleted in the portal. Does nothing if
  /// the instance has begun a new life. Its runs and events stay; a blueprint submitted under its name begins from
  /// nothing.
  ///
  /// - Parameter lease: the job that removes it, which is finished. It removes what its own run destroyed, nothing
  ///   later.
  /// - Returns: whether it was removed.
  @discardableResult
  func remove(_ instance: Instance.ID, finishing lease: Lease?) async throws -> Bool
}

/// What a decision is about.
public enum Subject: Sendable, Hashable {
  case instance(Instance.ID)
  /// PORC's id or TFE's.
  case run(String)
}

/// What is recorded in the transaction of a decision, beside the decision.
public struct Record: Sendable {
  /// The encrypted sensitive inputs of the run that is submitted.
  public var sealedInputs: SealedInputs?
  /// Bytes by their SHA-256, such as the bundle that was just built.
  public var blobs: [String: Data]
  /// The job whose work this is: it is finished in the same transaction, and nothing is recorded if its lease was lost.
  public var finishing: Lease?
  /// Jobs to make due at once, where they exist and are unfinished.
  public var waking: [RunJob]
  /// The answer to keep under the caller's idempotency key.
  public var answer: PendingAnswer?
  /// The press of a button in the portal that led to this.
  public var actionRun: PendingActionRun?

  public init(
    sealedInputs: SealedInputs? = nil, blobs: [String: Data] = [:], finishing: Lease? = nil, waking: [RunJob] = [],
    answer: PendingAnswer? = nil, actionRun: PendingActionRun? = nil
  ) {
    self.sealedInputs = sealedInputs
    self.blobs = blobs
    self.finishing = finishing
    self.waking = waking
    self.answer = answer
    self.actionRun = actionRun
  }

  public struct SealedInputs: Sendable {
    public var run: Run.ID
    public var bytes: Data
    public init(run: Run.ID, bytes: Data) {
      self.run = run
      self.bytes = bytes
    }
  }

  /// The answer is made inside the transaction, from what the decision recorded.
  public struct PendingAnswer: Sendable {
    public var key: IdempotencyKey
    public var make: @Sendable (Situation, _ now: Date) throws -> StoredAnswer
    public init(key: IdempotencyKey, make: @escaping @Sendable (Situation, _ now: Date) throws -> StoredAnswer) {
      self.key = key
      self.make = make
    }
  }

  /// What is kept of a press is made inside the transaction, from what the decision recorded; but for
  /// ``ActionRun/position``, which the store knows.
  public struct PendingActionRun: Sendable {
    /// The portal's id.
    public var id: String
    public var isVouched: Bool
    public var make: @Sendable (Situation, _ now: Date) throws -> ActionRun
    public init(
      id: String, isVouched: Bool = true, make: @escaping @Sendable (Situation, _ now: Date) throws -> ActionRun
    ) {
      self.id = id
      self.isVouched = isVouched
      self.make = make
    }
  }
}

/// What a decision left.
public struct Recorded: Sendable {
  public var situation: Situation
  public var facts: [Fact]
  /// The time of the database's clock that the decision got.
  public var now: Date
  public init(situation: Situation, facts: [Fact], now: Date) {
    self.situation = situation
    self.facts = facts
    self.now = now
  }
}

/// A run that was found, and how it was asked for.
public struct Located: Sendable {
  public var run: Run
  public var situation: Situation
  /// The TFE run id, if it was found by one.
  public var askedByTFERunID: String?
  /// Counts the changes of the situation: the same run with the same version is the same.
  public var version: Int64
  public init(run: Run, situation: Situation, askedByTFERunID: String? = nil, version: Int64) {
    self.run = run
    self.situation = situation
    self.askedByTFERunID = askedByTFERunID
    self.version = version
  }
}

/// Which runs to list; `nil` means any.
public struct RunFilter: Sendable, Hashable {
  public var instance: Instance.ID?
  public var state: RunState?
  public var operation: Run.Operation?
  public init(instance: Instance.ID? = nil, state: RunState? = nil, operation: Run.Operation? = nil) {
    self.instance = instance
    self.state = state
    self.operation = operation
  }
}

/// What can go wrong with the store itself.
public enum StoreError: Error, Sendable, Equatable {
  case notFound
  /// Another worker has the job now, or it is finished: what was learned is dropped.
  case leaseLost
  /// Somebody was faster with the same idempotency key: this is what they got. Its fingerprint tells whether they sent
  /// the same.
  case alreadyAnswered(StoredAnswer)
  /// The press was taken before, under another idempotency key.
  case alreadyPressed
  /// The database cannot be used: what, and what to do.
  case unusable(String, fix: String)
}

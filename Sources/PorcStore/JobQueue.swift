public import Foundation
public import PorcCore

/// Work to be done outside, leased to one worker at a time. Delivery is at least once: whoever does a job first asks
/// whether it was done before.
public protocol JobQueue: Sendable {
  /// Leases due jobs, those first that are due longest; of an instance only one at a time, by ``RunJob/Kind/priority``.
  /// A lease that ran out is free for all.
  ///
  /// - Parameters:
  ///   - worker: a name unique to this process.
  ///   - duration: how long the lease holds, in seconds of the database's clock, unless renewed.
  ///   - shares: of which jobs how many, one share after the other.
  func claim(worker: String, for duration: TimeInterval, _ shares: [JobShare]) async throws -> [Lease]

  /// Holds the lease for `duration` from now.
  ///
  /// - Throws: ``StoreError/leaseLost``.
  func renew(_ lease: Lease, for duration: TimeInterval) async throws

  /// The job is done. One that was asked for or woken while it was being done begins anew.
  ///
  /// - Throws: ``StoreError/leaseLost``.
  func finish(_ lease: Lease) async throws

  /// Gives the job back, due again after `delay`: it waits for something slow, and that is no failure.
  ///
  /// - Parameter isBegun: whether anything was done of it that a next attempt must reckon with; else this claim does not
  ///   count.
  /// - Throws: ``StoreError/leaseLost``.
  func snooze(_ lease: Lease, for delay: TimeInterval, isBegun: Bool) async throws

  /// Gives the job back after a failure, due again after `delay`; counts the attempt and keeps its reason.
  ///
  /// - Throws: ``StoreError/leaseLost``.
  func retry(_ lease: Lease, after delay: TimeInterval, because reason: String) async throws

  /// Makes jobs due at once, where they exist and are unfinished; one that is leased, as soon as its lease ends.
  func wake(_ jobs: [RunJob]) async throws

  /// What is under way although nothing was recorded about it for `idle` seconds, the longest first: of each instance its
  /// situation. Plans that await a person's decision are among them.
  func idleSituations(for idle: TimeInterval, limit: Int) async throws -> [Situation]

  /// Adds those of the jobs that are not there.
  ///
  /// - Returns: those that were added.
  func reinstate(_ jobs: [RunJob], of instance: Instance.ID) async throws -> [RunJob]

  /// How many TFE runs plan or apply, or are being made by somebody who has the lease for it.
  func tfeRunsUnderWay() async throws -> Int

  /// Jobs that nobody has taken although they have been due for `delay` seconds, those first that are due longest. Those
  /// that wait for another job of their instance are none.
  func overdueJobs(by delay: TimeInterval, limit: Int) async throws -> [RunJob]

  /// How long until there may be something to claim, in seconds: 0 if there is now, `nil` if there is no job. What a
  /// lease keeps from being claimed counts from the end of that lease.
  func untilNextDue() async throws -> TimeInterval?
}

extension JobQueue {
  /// Leases up to `limit` due jobs of any kind.
  public func claim(worker: String, for duration: TimeInterval, limit: Int) async throws -> [Lease] {
    try await claim(worker: worker, for: duration, [JobShare(of: RunJob.Kind.allCases, limit: limit)])
  }

  /// Gives the job back after something was done of it.
  public func snooze(_ lease: Lease, for delay: TimeInterval) async throws {
    try await snooze(lease, for: delay, isBegun: true)
  }
}

/// How many jobs of some kinds are claimed.
public struct JobShare: Sendable, Hashable {
  /// Those of these kinds' priorities, and what lies between.
  public var priorities: ClosedRange<Int>
  public var limit: Int

  /// - Parameter kinds: neighbours in the order of their priority; at least one.
  public init(of kinds: [RunJob.Kind], limit: Int) {
    let priorities = kinds.map(\.priority)
    self.priorities = (priorities.min() ?? 0)...(priorities.max() ?? 0)
    self.limit = limit
  }
}

/// A job that this worker alone may do, until its lease runs out.
public struct Lease: Sendable, Hashable {
  public var jobID: Int64
  public var kind: RunJob.Kind
  public var run: Run.ID
  public var instance: Instance.ID
  /// The number of the plan it is about; 0 where it is about none.
  public var plan: Int
  public var worker: String
  /// Names this lease: each claim of a job has another.
  public var token: Int64
  /// How often it failed before.
  public var failures: Int
  /// How often it was claimed, snoozed ones included.
  public var claims: Int
  /// When it was created.
  public var since: Date

  public init(
    jobID: Int64, kind: RunJob.Kind, run: Run.ID, instance: Instance.ID, plan: Int, worker: String, token: Int64,
    failures: Int, claims: Int, since: Date
  ) {
    self.jobID = jobID
    self.kind = kind
    self.run = run
    self.instance = instance
    self.plan = plan
    self.worker = worker
    self.token = token
    self.failures = failures
    self.claims = claims
    self.since = since
  }
}

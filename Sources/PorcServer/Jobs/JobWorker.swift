import Foundation
import Logging
import PorcCore
import PorcStore
import PortPortal
import Retry
import ServiceLifecycle
import Synchronization
import TerraformEnterprise

/// Works the jobs of runs, several at once, as ``JobLanes`` says. On graceful shutdown it finishes those in hand and takes no other.
struct JobWorker: Service {
  let store: any Store
  let driver: RunDriver
  let doorbell: Doorbell
  let lanes: Int
  let logger: Logger
  /// How long a lease holds; it is renewed at a third of it.
  let leaseDuration: TimeInterval = 30
  /// How long to wait after failures; there is no last one: nothing is given up because TFE was away.
  let backoff = Backoff(base: .milliseconds(500), ceiling: .seconds(60))
  private let worker = "worker-\(UUID().uuidString.lowercased())"

  init(store: any Store, driver: RunDriver, doorbell: Doorbell, lanes: Int, logger: Logger) {
    self.store = store
    self.driver = driver
    self.doorbell = doorbell
    self.lanes = lanes
    self.logger = logger
  }

  private final class BusyLanes: Sendable {
    let lanes: Mutex<JobLanes>
    init(_ lanes: JobLanes) { self.lanes = Mutex(lanes) }
  }

  func run() async throws {
    let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let busy = BusyLanes(JobLanes(lanes))
    await withDiscardingTaskGroup { group in
      group.addTask { await forwardRings(to: wake) }
      var alarm: Task<Void, any Error>?
      // One claims for all: a lane of its own for each would have all of them ask for the same job.
      for await _ in wakes {
        if doorbell.isOver { break }
        alarm?.cancel()
        let shares = busy.lanes.withLock(\.shares)
        guard !shares.isEmpty else { continue }  // a lane that has done its work wakes
        let due = await untilNextDue()
        guard due == 0 else {
          alarm = Task {
            try await Task.sleep(for: .seconds(max(due, 0.001)))  // one that was canceled must not wake
            wake.yield()
          }
          continue
        }
        let leases = await claim(shares)
        for lease in leases {
          busy.lanes.withLock { $0.begin(lease.kind) }
          group.addTask {
            await work(lease)
            busy.lanes.withLock { $0.end(lease.kind) }
            wake.yield()
          }
        }
        if !leases.isEmpty { wake.yield() }  // for what is due next
      }
      alarm?.cancel()
    }
  }

  /// Wakes whenever something has changed, and once a second, since a clock may have jumped or another server may have
  /// left work.
  private func forwardRings(to wake: AsyncStream<Void>.Continuation) async {
    var seen = doorbell.count
    wake.yield()
    while !doorbell.isOver, !Task.isCancelled {
      await doorbell.wait(since: seen, upTo: .seconds(1))
      seen = doorbell.count
      wake.yield()
    }
    wake.finish()
  }

  /// In seconds, at most one: then it is asked again.
  private func untilNextDue() async -> TimeInterval {
    do {
      return min(try await store.untilNextDue() ?? 1, 1)
    } catch {
      if !(error is CancellationError) { logger.error("jobs cannot be read", metadata: ["error": "\(error)"]) }
      return 1
    }
  }

  private func claim(_ shares: [JobShare]) async -> [Lease] {
    do {
      return try await store.claim(worker: worker, for: leaseDuration, shares)
    } catch {
      if !(error is CancellationError) { logger.error("jobs cannot be read", metadata: ["error": "\(error)"]) }
      return []
    }
  }

  private func work(_ lease: Lease) async {
    var logger = logger
    logger[metadataKey: "job.id"] = "\(lease.jobID)"
    logger[metadataKey: "job.kind"] = "\(lease.kind.rawValue)"
    logger[metadataKey: "run.id"] = "\(lease.run)"
    do {
      let outcome = try await keepingLease(lease) { try await driver.perform(lease) }
      switch outcome {
      case .reported: break
      case .done: try await store.finish(lease)
      case .later(let delay): try await store.snooze(lease, for: delay)
      case .notYet(let delay): try await store.snooze(lease, for: delay, isBegun: false)
      }
      logger.debug("job done")
    } catch StoreError.leaseLost {
      logger.warning("job was done by another worker")
    } catch is CancellationError {
      // The lease runs out, and another worker goes on.
    } catch {
      await retry(lease, error, logger)
    }
  }

  private func retry(_ lease: Lease, _ error: any Error, _ logger: Logger) async {
    var random = SystemRandomNumberGenerator()
    let delay = backoff.delay(attempt: lease.failures + 1, using: &random)
    logger.warning(
      "job failed and will be tried again",
      metadata: ["job.attempt": "\(lease.failures + 1)", "error": "\(error)", "delay_ms": "\(delay.milliseconds)"])
    do {
      try await store.retry(lease, after: Double(delay.milliseconds) / 1000, because: "\(error)")
    } catch {
      logger.error("job cannot be given back", metadata: ["error": "\(error)"])
    }
  }

  /// Renews the lease for as long as the work takes.
  private func keepingLease<Value: Sendable>(
    _ lease: Lease, _ work: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask { try await work() }
      group.addTask {
        while true {
          try await Task.sleep(for: .seconds(leaseDuration / 3))
          try await store.renew(lease, for: leaseDuration)
        }
      }
      defer { group.cancelAll() }
      while let next = try await group.next() {
        if let value = next { return value }
      }
      throw CancellationError()
    }
  }
}

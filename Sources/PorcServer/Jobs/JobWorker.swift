import Foundation
import Logging
import PorcCore
import PorcStore
import PortPortal
import Retry
import ServiceLifecycle
import TerraformEnterprise

/// Works the jobs of runs, several at once. On graceful shutdown each lane finishes the job in hand and takes no other.
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

  func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      for _ in 0..<lanes { group.addTask { try await runLane() } }
    }
  }

  private func runLane() async throws {
    while !Task.isShuttingDownGracefully {
      try Task.checkCancellation()
      do {
        let ring = doorbell.count
        if let lease = try await store.claim(worker: worker, for: leaseDuration, limit: 1).first {
          await work(lease)
          continue
        }
        // At least once a second: another server may have left work, or a clock may have jumped.
        let due = min(try await store.untilNextDue() ?? 1, 1)
        await doorbell.wait(since: ring, upTo: .seconds(max(due, 0.005)))
      } catch is CancellationError {
        return
      } catch {
        logger.error("jobs cannot be read", metadata: ["error": "\(error)"])
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
      }
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

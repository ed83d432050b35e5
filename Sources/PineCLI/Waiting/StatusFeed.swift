import NIOHTTP1
import PorcCore

/// A run's status whenever it changes. Held by PORC meanwhile, not asked again and again.
struct StatusFeed: Sendable {
  let session: Session
  let porc: PorcClient
  let run: String
  private var tag: String?

  init(_ session: Session, _ porc: PorcClient, run: String) {
    self.session = session
    self.porc = porc
    self.run = run
  }

  /// The next status that differs from `last`; outlives restarts of PORC.
  mutating func next(after last: RunStatus?) async throws -> (status: RunStatus, bytes: [UInt8]) {
    while true {
      // 25 s: below the idle limits that proxies usually have.
      var call = Call.get("run", run, "status", query: tag == nil ? [] : [("wait", "25")])
      call = call.with("If-None-Match", tag)
      call.timeout = .seconds(60)
      let start = ContinuousClock.now
      let answer = try await session.patiently { [call, porc] in try await porc.send(call, attempts: 1) }
      if answer.status != 304 {
        tag = answer.headers.first(name: "ETag")
        let status = try answer.decode(RunStatus.self)
        if status != last { return (status, answer.bytes) }
      }
      if start.duration(to: .now) < .milliseconds(200), tag == nil || call.query.count > 0 {
        // It was not held: something on the way does not wait.
        try await session.clock.sleep(for: .milliseconds(500))
      }
    }
  }
}

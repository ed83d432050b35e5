import Foundation
import Testing

/// Takes one blueprint after the other from submission to applied. A call that got no answer is sent again, with the same
/// key, until it gets one: as a script would do it.
actor Developer {
  private let porc: API
  private var isToStop = false

  struct Deployed: Sendable {
    var id: String
    var instance: String
    var tfeRunID: String
    /// How many plans it took.
    var plans: Int
  }

  init(porc: API) { self.porc = porc }

  func stop() { isToStop = true }

  func deployUntilToldToStop() async throws -> [Deployed] {
    var deployed: [Deployed] = []
    repeat { deployed.append(try await deploy("killed-\(deployed.count)")) } while !isToStop
    return deployed
  }

  func deploy(_ instance: String) async throws -> Deployed {
    let submitted = try await answer("POST /runs", .json(Blueprint.service(named: instance, text: instance)))
    let run = try #require(try submitted.expecting(201).json["run_id"].string)
    var plans = 0
    while true {
      plans += 1
      try await answer("POST /runs/\(run)/plan").expecting(202)
      let seen = try await until(run, ["planned"])["tfe_run_id"]
      try await answer("POST /runs/\(run)/apply", .json(["tfe_run_id": seen])).expecting(202)
      // A TFE that dies while it applies leaves an apply that ended half-way; it is planned again.
      let ended = try await until(run, ["applied", "apply_failed"])
      if ended["status"] == "apply_failed" { continue }
      return Deployed(id: run, instance: instance, tfeRunID: try #require(seen.string), plans: plans)
    }
  }

  @discardableResult
  private func until(_ run: String, _ states: [JSON]) async throws -> JSON {
    var seen = "\"none\""
    while true {
      let answer = try await answer("GET /runs/\(run)/status?wait=2", headers: ["If-None-Match": seen])
      if answer.status == 304 { continue }
      let status = try answer.expecting(200).json
      seen = answer.header("ETag") ?? seen
      if states.contains(status["status"]) { return status }
      guard status["is_final"] == true else { continue }
      let summary = try await self.answer("GET /runs/\(run)/summary").text
      let log = try await self.answer("GET /runs/\(run)/logs").text
      throw NeverHappened(description: "\(run) was \(states): \(summary)\n\(log)")
    }
  }

  private func answer(
    _ call: String, _ body: API.Body = .none, headers: [String: String] = [:]
  ) async throws -> API.Answer {
    let headers = headers.merging(["Idempotency-Key": UUID().uuidString]) { $1 }
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
      do {
        return try await porc.send(call, body, headers: headers)
      } catch  where ContinuousClock.now < deadline {
        // Nobody listens: PORC was killed, and starts again.
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }
}

import FoundationEssentials
import PorcCore

/// The calls by name. Wherever a run id is taken, PORC's and TFE's both work.
extension PorcClient {
  /// - Returns: the new run's ``RunSummary``.
  func submit(_ document: [UInt8], as contentType: String) async throws -> Answer {
    try await send(.post("runs").sending(document, as: contentType))
  }

  /// Starts a step of a run.
  ///
  /// - Returns: the ``RunStatus`` right after it was accepted.
  func command(_ verb: String, _ run: String, sending body: some Encodable) async throws -> Answer {
    try await send(.post("runs", run, verb).sending(json: body))
  }

  /// - Returns: the destroy run's ``RunSummary``.
  func destroy(_ instance: String, sending body: PlanBody) async throws -> Answer {
    try await send(.post("instances", instance, "destroy").sending(json: body))
  }

  func status(_ run: String) async throws -> Answer { try await send(.get("run", run, "status")) }

  func summary(_ run: String) async throws -> Answer { try await send(.get("run", run, "summary")) }
}

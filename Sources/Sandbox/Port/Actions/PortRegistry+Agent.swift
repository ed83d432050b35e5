import FoundationEssentials

/// How Port's agent gets the runs whose webhook goes through it.
enum PortAgentStreamer: String, Sendable {
  /// From Kafka: the sandbox has none, and sends them itself as the agent does.
  case kafka = "KAFKA"
  /// It asks for them.
  case polling = "POLLING"
}

extension PortRegistry {
  /// Who claims runs of webhooks (port-agent, 2026-05, `app/core/consts.py`).
  static let agent = "_PORT_EXEC_AGENT"

  /// The runs whose webhook is ready for the agent, oldest first.
  var runsForAgent: [PortActionRun] { runsByAge.reversed().filter(\.waitsForAgent) }

  /// Runs that an agent takes, oldest first: `{installationId, limit, invocationMethod?, visibilityTimeoutMs?, exclude?}`.
  /// Until the time is over, or they are acknowledged, nobody else gets them. Ocean claims runs of its own kind of backend,
  /// which the sandbox does not have.
  func claiming(_ body: JSONValue, now: Date) throws(PortFailure) -> [PortActionRun] {
    guard let installation = body["installationId"].string else {
      throw .invalid("body must have required property 'installationId'")
    }
    guard let limit = body["limit"].int, limit > 0 else { throw .invalid("body/limit must be a whole number from 1") }
    // Ocean's own time, which it sends; the agent sends none.
    let visibility = body["visibilityTimeoutMs"].isNull ? 60_000 : body["visibilityTimeoutMs"].int ?? 0
    guard visibility > 0 else { throw .invalid("body/visibilityTimeoutMs must be a whole number from 1") }
    guard agentStreamer == .polling, installation == Self.agent,
      [nil, "WEBHOOK"].contains(body["invocationMethod"].string)
    else { return [] }
    let excluded = (body["exclude"].array ?? []).compactMap(\.string)
    let claimable = runsForAgent.filter { run in
      !excluded.contains(run.action["identifier"].string ?? "")
        && run.claimedUntil.flatMap(Date.init(rfc3339:)).map { $0 <= now } ?? true
    }
    return claimable.prefix(limit).map { run in
      var run = run
      run.claimedUntil = (now + Double(visibility) / 1000).rfc3339
      return run
    }
  }

  /// Runs that an agent has taken for good: `{runIds}`, or `{runId}`, which is refused where it is taken already.
  func acknowledging(_ body: JSONValue, _ stamp: PortStamp) throws(PortFailure) -> [PortActionRun] {
    let ids: [String]
    if let id = body["runId"].string {
      guard try run(id).waitsForAgent else {
        throw .conflict("already_acknowledged", "Action run \"\(id)\" waits for no agent")
      }
      ids = [id]
    } else {
      guard let sent = body["runIds"].array, sent.allSatisfy({ $0.string != nil }) else {
        throw .invalid("body/runIds must be array of strings")
      }
      ids = sent.compactMap(\.string)
    }
    return Set(ids).sorted().compactMap { runs[$0] }.filter(\.waitsForAgent).map { run in
      var run = run
      run.isPending = false
      run.claimedUntil = nil
      run.touch(stamp)
      return run
    }
  }
}

extension PortActionRun {
  /// Whether its webhook is ready for the agent.
  fileprivate var waitsForAgent: Bool { isPending && payload["agent"] == true }
}

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import PorcCore
import PorcStore
import ServiceLifecycle
import TerraformEnterprise

/// Terraform's output of a run's current plan and apply, as readable text. TFE keeps it; PORC hands it on.
struct RunLogRoutes: Sendable {
  let store: any Store
  let client: TerraformEnterprise.Client
  let secrets: SecretKeeper
  let doorbell: Doorbell
  let streams: Limit

  typealias Phase = TerraformLogReader.Phase

  func register(in routes: Routes) {
    routes.get("/runs/{run_id}/logs", needs: .read, logs)
  }

  @Sendable private func logs(_ request: Request, _ context: PorcContext) async throws -> Response {
    let id = try context.runID
    guard let located = try await store.locate(id) else { throw RunRoutes.unknown(id) }
    let phases = try request.choice("phase", Phase.self).map { [$0] } ?? Phase.allCases
    let resume = try position(request)
    guard request.wantsEventStream else { return try await text(located, phases) }
    return .eventStream(holding: try streams.take(), while: context.isStillAllowed) { writer in
      for phase in phases {
        var offset = 0
        if let resume {
          if phase == .plan, resume.phase == .apply { continue }
          if phase == resume.phase { offset = resume.offset }
        }
        try await stream(phase, of: id, from: offset, phases, into: &writer)
      }
      // A server that stops has not seen the end: the client comes back and goes on from where it was.
      guard !doorbell.isOver else { return }
      try await writer.write(ServerSentEvent(event: "end", data: Data("{}".utf8)))
    }
  }

  private func text(_ located: Located, _ phases: [Phase]) async throws -> Response {
    let secret = try await secrets.texts(of: located.run.instance)
    var text = ""
    for phase in phases {
      guard Self.mayHaveLog(phase, located), let url = try await url(of: phase, located) else { continue }
      var reader = TerraformLogReader(phase)
      var offset = 0
      while offset < 16 << 20 {
        let chunk = try await client.logs.read(url, offset: offset)
        reader.append(chunk.bytes)
        offset = chunk.nextOffset
        if chunk.isComplete || chunk.bytes.isEmpty { break }
      }
      reader.finish()
      let lines = reader.takeLines().map(secret.masked)
      if !lines.isEmpty { text += lines.joined(separator: "\n") + "\n" }
    }
    return .bytes(Data(text.utf8), type: "text/plain; charset=utf-8")
  }

  /// Follows one phase from an offset until its log is complete, or the run ends without it.
  private func stream(
    _ phase: Phase, of run: String, from start: Int, _ phases: [Phase], into writer: inout EventStreamWriter
  ) async throws {
    var reader = TerraformLogReader(phase)
    var offset = start
    var url: SignedURL?
    var secret = SecretTexts.none
    var delay = Duration.milliseconds(50)
    var wokenAt: ContinuousClock.Instant?
    while !doorbell.isOver {
      if url == nil {
        let seen = doorbell.count
        guard let located = try await store.locate(run) else { return }
        if Self.hasLog(phase, located) {
          secret = try await secrets.texts(of: located.run.instance)
          url = try await self.url(of: phase, located)
        }
        if url == nil {
          // A decision may take days: a stream of both phases ends with the plan's, and the apply's is asked for anew.
          if located.run.state.isFinal || (phase == .apply && phases.count > 1 && located.run.state.awaitsDecision) {
            return
          }
          // TFE does not tell when an apply begins: somebody who waits to see it is worth a call.
          if phase == .apply, located.isAboutToApply, wokenAt.map({ $0.duration(to: .now) >= .seconds(1) }) ?? true {
            wokenAt = .now
            try await store.wake([RunJob(.follow, run: located.run.id, plan: located.run.currentPlan?.number ?? 0)])
          }
          try await writer.keepAlive()
          await doorbell.wait(since: seen, upTo: .seconds(1))
          try Task.checkCancellation()
          continue
        }
      }
      guard let url else { return }
      let chunk = try await client.logs.read(url, offset: offset)
      offset = chunk.nextOffset
      reader.append(chunk.bytes)
      if chunk.isComplete { reader.finish() }
      let lines = reader.takeLines().map(secret.masked)
      if !lines.isEmpty {
        // Resumed after the last whole line: a half one is read again.
        let position = offset - reader.pendingBytes
        try await writer.write(
          ServerSentEvent(
            id: "\(phase.rawValue):\(position)", event: "log", data: Data(lines.joined(separator: "\n").utf8)))
      }
      if chunk.isComplete { return }
      if chunk.bytes.isEmpty {
        if try await isOver(phase, run) { return }
        try await writer.keepAlive()
        try await cancelWhenGracefulShutdown { [delay] in try await Task.sleep(for: delay) }
        delay = min(delay * 2, .milliseconds(500))
      } else {
        delay = .milliseconds(50)
      }
    }
  }

  /// A log that never gets its end mark is over once the run has left the phase.
  private func isOver(_ phase: Phase, _ run: String) async throws -> Bool {
    guard let located = try await store.locate(run), located.shownPlan == located.run.currentPlan else { return true }
    switch phase {
    case .plan: return located.run.state != .planning
    case .apply: return located.run.state != .applying
    }
  }

  private static func hasLog(_ phase: Phase, _ located: Located) -> Bool {
    guard let plan = located.shownPlan, plan.tfeRunID != nil else { return false }
    return phase == .plan || plan.applyBegan
  }

  /// An apply may have begun without PORC knowing it yet: only TFE can tell.
  private static func mayHaveLog(_ phase: Phase, _ located: Located) -> Bool {
    if hasLog(phase, located) { return true }
    return phase == .apply && located.run.state == .applying && located.shownPlan == located.run.currentPlan
  }

  private func url(of phase: Phase, _ located: Located) async throws -> SignedURL? {
    guard let plan = located.shownPlan, let id = plan.tfeRunID else { return nil }
    do {
      let read = try await client.runs.read(id, include: [.plan, .apply])
      guard phase == .apply else { return read.plan?.logReadURL }
      guard let apply = read.apply, plan.applyBegan || apply.status.hasBegun else { return nil }
      return apply.logReadURL
    } catch let error as TFEError where error.kind == .notFound {
      return nil  // the workspace is gone, and its logs with it
    }
  }

  /// `Last-Event-ID` of a stream that is resumed, such as `plan:1234`.
  private func position(_ request: Request) throws -> (phase: Phase, offset: Int)? {
    guard let text = request.headers[.lastEventID] else { return nil }
    let parts = text.split(separator: ":")
    guard parts.count == 2, let phase = Phase(rawValue: String(parts[0])), let offset = Int(parts[1]), offset >= 0
    else {
      throw Fault(.malformedRequest, "'\(text.prefix(40))' is no place in a log.", fix: "Send the last id you saw.")
    }
    return (phase, offset)
  }
}

extension Located {
  /// The plan that was asked for by TFE's id, else the current one.
  fileprivate var shownPlan: PorcCore.Plan? {
    guard let askedByTFERunID else { return run.currentPlan }
    return run.plans.first { $0.tfeRunID == askedByTFERunID }
  }

  /// Whether TFE may begin to apply the current plan any moment.
  fileprivate var isAboutToApply: Bool {
    guard let plan = run.currentPlan, plan.tfeRunID != nil, !plan.applyBegan else { return false }
    return run.state == .applying || (run.state == .planning && plan.request.appliesAutomatically)
  }
}

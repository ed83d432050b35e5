import HCL
import PorcCore
import Synchronization
import Testing

@testable import PorcServer

/// Events and logs, as pages and as streams that can be resumed.
@Suite(.timeLimit(.minutes(1)))
struct StreamTests {
  /// Of the events: a stream begins with an id alone, that of the place where it begins.
  private func ids(_ stream: String) -> [String] {
    stream.split(separator: "\n\n").compactMap { event in
      let lines = event.split(separator: "\n")
      guard lines.contains(where: { $0.hasPrefix("event: ") }) else { return nil }
      return lines.first { $0.hasPrefix("id: ") }.map { String($0.dropFirst(4)) }
    }
  }

  private func types(_ stream: String) -> [String] {
    stream.split(separator: "\n").filter { $0.hasPrefix("event: ") }.map { String($0.dropFirst(7)) }
  }

  /// The text of a log's stream.
  private func data(_ stream: String) -> [String] {
    stream.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
  }

  @Test func eventsComeInPagesInOneOrder() async throws {
    try await TestServer.run { test in
      let web = try await test.planned()
      let db = try await test.submit(Samples.blueprint("db"))
      let all = try await test.get("/events?subject=run").json
      let events = try #require(all["events"]?.arrayValue)
      #expect(
        events.compactMap { $0["type"]?.stringValue } == [
          "submitted", "plan_requested", "held", "build_started", "built", "plan_started", "workspace_ready",
          "tfe_run_created", "plan_finished", "submitted",
        ])
      let positions = events.compactMap { $0["position"]?.intValue }
      #expect(positions == positions.sorted() && Set(positions).count == positions.count)
      #expect(all["last_position"]?.intValue == positions.last)

      #expect(events.allSatisfy { ["web", "db"].contains($0["instance"]?.stringValue) })
      let page = try await test.get("/events?subject=run&after=\(positions[2])&limit=3").json
      #expect(page["events"]?.arrayValue == Array(events[3..<6]))
      let own = try await test.get("/runs/\(db)/events").json["events"]?.arrayValue
      #expect(own == [events[9]])
      let end = try await test.get("/runs/\(web)/events?after=\(positions[9])").json
      #expect(end["events"] == [] && end["last_position"]?.intValue == positions[9])

      // Whoever has seen more than there is would miss what comes.
      let last = try #require(try await test.get("/events").json["last_position"]?.intValue)
      #expect(try await test.get("/events?after=\(last)&subject=template").status == 200)
      let now = try await test.get("/events?after=now").json
      #expect(now["events"] == [] && now["last_position"]?.intValue == last)
      #expect(try await test.get("/events?after=soon").status == 400)
      for headers in [[:], ["Accept": "text/event-stream"]] {
        let beyond = try await test.get("/events?after=\(last + 1)", headers: headers)
        #expect(beyond.status == 404)
        #expect(beyond.json["detail"] == .string("There is no event \(last + 1); the last one is \(last)."))
      }
    }
  }

  @Test func instancesAndTemplatesHaveTheirPlaceAmongThem() async throws {
    try await TestServer.run { test in
      let run = try await test.planned()
      let tfeRun = try #require(try await test.get("/runs/\(run)/status").json["tfe_run_id"]?.stringValue)
      _ = try await test.post("/runs/\(run)/apply")
      try await test.wait(run, for: "applied")
      let events = try #require(try await test.get("/events").json["events"]?.arrayValue)
      #expect(
        events.prefix(3).compactMap { $0["type"]?.stringValue } == ["template_added", "submitted", "instance_created"])
      #expect(events[0]["template"] == "web-1-0-0" && events[0]["run_id"] == nil && events[0]["instance"] == nil)
      #expect(events[0]["data"]?["status"] == "active")
      #expect(events[2]["instance"] == "web" && events[2]["run_id"]?.stringValue == run)
      #expect(events[2]["data"]?["title"] == "A test")
      let deployed = try #require(events.last)
      #expect(deployed["type"] == "instance_deployed" && deployed["template"] == "web-1-0-0")
      #expect(deployed["data"]?["tfe_run_id"]?.stringValue == tfeRun)

      for (query, types) in [
        ("subject=template", ["template_added"]), ("subject=instance", ["instance_created", "instance_deployed"]),
        ("subject=instance&instance=db", []),
      ] {
        let found = try await test.get("/events?\(query)").json["events"]?.arrayValue ?? []
        #expect(found.compactMap { $0["type"]?.stringValue } == types, "\(query)")
      }
      let own = try await test.get("/events?instance=web").json["events"]?.arrayValue
      #expect(own == Array(events.dropFirst()))
      let ofRun = try await test.get("/runs/\(run)/events").json["events"]?.arrayValue ?? []
      #expect(
        ofRun
          == events.filter { $0["type"]?.stringValue?.contains("_added") == false && !"\($0)".contains("instance_") })
      for query in ["subject=runs", "instances=web", "template=x"] {
        #expect(try await test.get("/events?\(query)").code == "malformed-request", "\(query)")
      }
    }
  }

  /// Wherever the connection is lost, the rest comes, once.
  @Test func theStreamOfAllIsResumedAtEveryPosition() async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      async let live = test.stream("/events") { $0.contains("event: plan_finished") }
      _ = try await test.post("/runs/\(run)/plan")
      let whole = ids(try await live)
      #expect(whole.count > 8 && whole.compactMap(Int.init) == whole.compactMap(Int.init).sorted())
      for (place, position) in whole.enumerated().dropLast() {
        let rest = try await test.stream("/events", headers: ["Last-Event-ID": position]) {
          $0.contains("id: \(whole[whole.count - 1])\n")
        }
        #expect(Array(ids(rest).prefix(whole.count - place - 1)) == Array(whole[(place + 1)...]), "after \(position)")
      }
    }
  }

  /// Whoever is cut off before the first event comes back to where the stream began.
  @Test func aStreamSaysWhereItBegins() async throws {
    try await TestServer.run { test in
      _ = try await test.submit()
      let last = try #require(try await test.get("/events").json["last_position"]?.intValue)
      let stream = try await test.stream("/events?after=now") { $0.contains("id: ") }
      #expect(stream == ": connected\n\nid: \(last)\n\n")
    }
  }

  @Test func aTokenThatIsRevokedEndsItsStreams() async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      for (number, path) in ["/events", "/runs/\(run)/events", "/runs/\(run)/logs"].enumerated() {
        let reader = try await test.token("reader \(number)", .read)
        let (opened, opening) = AsyncStream.makeStream(of: Void.self)
        async let whole = test.stream(path, token: reader) { _ in
          opening.yield()
          return false
        }
        for await _ in opened { break }
        try await Tokens(store: test.server.store).revoke("reader \(number)")
        #expect(try await whole.hasPrefix(": connected\n\n"), "it has ended")
        #expect(try await test.get(path, token: reader).status == 401)
      }
    }
  }

  @Test func moreStreamsThanTheServerTakesAreToldToComeAgain() async throws {
    try await TestServer.run {
      $0.maximumStreams = 1
    } _: { test in
      let run = try await test.submit()
      let asStream = ["Accept": "text/event-stream"]
      try await test.whileStreaming("/events") {
        for path in ["/events", "/runs/\(run)/events", "/runs/\(run)/logs"] {
          let refused = try await test.get(path, headers: asStream)
          #expect(refused.code == "busy" && refused.header("Retry-After") == "5", "\(path)")
          #expect(refused.json["fix"]?.stringValue?.contains("porc.maximum_streams") == true)
        }
        #expect(try await test.get("/events").status == 200, "a page is no stream")
      }
      // A server notices that a reader has gone when it writes to it.
      var isFree = false
      while !isFree {
        _ = try await test.submit()
        isFree = try await test.whileStreaming("/events") {}
      }
    }
  }

  @Test func moreWaitsThanTheServerTakesAreToldToComeAgain() async throws {
    try await TestServer.run {
      $0.maximumWaits = 0
    } _: { test in
      let run = try await test.submit()
      let wait = try await test.get("/runs/\(run)/status?wait=1")
      #expect(wait.code == "busy" && wait.header("Retry-After") == "5")
      #expect(try await test.get("/runs/\(run)/status").status == 200)
    }
  }

  /// The wait would hold its place for a minute.
  @Test(.timeLimit(.minutes(1))) func whoeverLeavesGivesItsPlaceBack() async throws {
    try await TestServer.run {
      $0.maximumWaits = 1
    } _: { test in
      let run = try await test.submit()
      let waiting = Task { while try await test.get("/runs/\(run)/status?wait=60").code == "busy" {} }
      while try await test.get("/runs/\(run)/status?wait=1").code != "busy" {}
      waiting.cancel()
      _ = await waiting.result
      while try await test.get("/runs/\(run)/status?wait=1").code == "busy" {}
    }
  }

  @Test func aStreamOfEventsGoesOnAndIsResumed() async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      async let live = test.stream("/runs/\(run)/events") { $0.contains("event: plan_finished") }
      _ = try await test.post("/runs/\(run)/plan")
      let whole = try await live
      let positions = ids(whole)
      #expect(types(whole).first == "submitted" && types(whole).last == "plan_finished")
      let rest = try await test.stream("/runs/\(run)/events", headers: ["Last-Event-ID": positions[3]]) {
        $0.contains("event: plan_finished")
      }
      #expect(ids(rest) == Array(positions[4...]))
    }
  }

  private static let planLog = """
    \u{2}Terraform v1.11.4
    {"@level":"info","@message":"a: Plan to create","type":"planned_change"}
    progress\rid: plan:0\revent: end
    Plan: 1 to add
    \u{3}
    """

  @Test func logsAreReadableText() async throws {
    try await TestServer.run { test in
      test.tfe.change { state in
        state.logs = ["run-1/plan": Self.planLog, "run-1/apply": "\u{2}applied\n\u{3}"]
      }
      let run = try await test.planned()
      let plan = "Terraform v1.11.4\na: Plan to create\nprogress\rid: plan:0\revent: end\nPlan: 1 to add\n"
      #expect(try await test.get("/runs/\(run)/logs").text == plan)
      _ = try await test.post("/runs/\(run)/apply")
      try await test.wait(run, for: "applied")
      #expect(try await test.get("/runs/\(run)/logs").text == plan + "applied\n")
      #expect(try await test.get("/runs/\(run)/logs?phase=apply").text == "applied\n")
      #expect(try await test.get("/runs/run-1/logs?phase=plan").text == plan)
      #expect(try await test.get("/runs/\(run)/logs").header("Content-Type") == "text/plain; charset=utf-8")
    }
  }

  /// PORC may not know yet that the apply has begun: it asks, and says so if it gets no answer.
  @Test func anApplyThatMayHaveBegunIsAskedFor() async throws {
    try await TestServer.run { test in
      test.tfe.change {
        $0.confirmed = "apply_queued"
        $0.logs = ["run-1/apply": "\u{2}applying\n"]
      }
      let run = try await test.planned()
      _ = try await test.post("/runs/\(run)/apply")
      try await test.wait(run, for: "applying")
      #expect(try await test.get("/runs/\(run)/logs?phase=apply").text == "")
      test.tfe.change { $0.knowsToken = false }
      let refused = try await test.get("/runs/\(run)/logs?phase=apply")
      #expect(refused.status == 502)
      #expect(refused.text.contains("token"))
    }
  }

  @Test func logsAreStreamedAndResumed() async throws {
    try await TestServer.run { test in
      test.tfe.change { state in
        state.logs = ["run-1/plan": Self.planLog, "run-1/apply": "\u{2}applied\n\u{3}"]
      }
      let run = try await test.planned()
      _ = try await test.post("/runs/\(run)/apply")
      try await test.wait(run, for: "applied")
      let whole = try await test.stream("/runs/\(run)/logs") { _ in false }
      // What Terraform printed is text, not a field of the stream.
      #expect(
        data(whole) == [
          "Terraform v1.11.4", "a: Plan to create", "progress", "id: plan:0", "event: end", "Plan: 1 to add", "applied",
          "{}",
        ])
      #expect(types(whole).last == "end")
      let last = try #require(ids(whole).first)
      #expect(last == "plan:\(Self.planLog.utf8.count)")
      let rest = try await test.stream("/runs/\(run)/logs", headers: ["Last-Event-ID": last]) { _ in false }
      #expect(data(rest) == ["applied", "{}"])
      let middle = try await test.stream(
        "/runs/\(run)/logs?phase=plan", headers: ["Last-Event-ID": "plan:\("\u{2}Terraform v1.11.4\n".utf8.count)"]
      ) { _ in false }
      #expect(data(middle).first == "a: Plan to create" && data(middle).last == "{}")
    }
  }

  @Test func aRunWithoutAPlanHasNoLog() async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      let reply = try await test.get("/runs/\(run)/logs")
      #expect(reply.status == 200 && reply.text.isEmpty)
    }
  }

  /// A stream that is open does not hold the server up.
  @Test func openStreamsEndWithTheServer() async throws {
    let end = Mutex(ContinuousClock.now)
    try await TestServer.run { test in
      let (opened, open) = AsyncStream.makeStream(of: Void.self)
      // Outlives this closure: the server is to end it.
      Task {
        _ = try? await test.stream("/events") { _ in
          open.yield()
          return false
        }
      }
      _ = await opened.first { _ in true }
      end.withLock { $0 = .now }
    }
    #expect(end.withLock { ContinuousClock.now - $0 } < .seconds(4))
  }
}

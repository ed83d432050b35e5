import Foundation
import Testing

/// Watching: streams that can be resumed, and long polls.
@Suite(.devServer(), .timeLimit(.minutes(1)))
struct StreamTests {
  @Test func theEventsOfARunAreStreamedAndResumed() async throws {
    let dev = try DevServer.current()
    let run = try await dev.submit(Blueprint.service(named: "streamed"))
    let streamed = Task {
      var events: [EventStream.Event] = []
      for try await event in try await dev.porc.events("/runs/\(run)/events") {
        events.append(event)
        if event.name == "plan_finished" { break }
      }
      return events
    }
    try await dev.plan(run)
    let events = try await streamed.value
    #expect(events.map(\.name) == (try await dev.events(run)))
    let positions = events.compactMap { $0.id.flatMap { Int($0) } }
    #expect(positions.count == events.count && positions == positions.sorted())
    let third = try JSON(Data(events[2].data.utf8))
    #expect(third["run_id"] == .string(run) && third["type"] == .string(events[2].name))
    #expect(third["position"].number == Double(positions[2]))

    // Resumed from the middle: what follows, once each, and what is still to come.
    let resumed = Task {
      var rest: [EventStream.Event] = []
      for try await event in try await dev.porc.events("/runs/\(run)/events", after: events[2].id) {
        rest.append(event)
        if event.name == "apply_finished" { break }
      }
      return rest
    }
    try await dev.apply(run)
    let rest = try await resumed.value
    #expect(Array(rest.prefix(events.count - 3)) == Array(events.dropFirst(3)))
    #expect(events.prefix(3).map(\.name) + rest.map(\.name) == (try await dev.events(run)))

    let page = try await dev.porc.get("/events?after=\(events[2].id ?? "")&limit=1").expecting(200).json
    #expect(page["events"].array.count == 1)
    #expect(page["last_position"] == page["events"][0]["position"])
  }

  @Test func theLogIsStreamedWhileTerraformWorksAndResumed() async throws {
    let dev = try DevServer.current()
    let gate = try Gate("log", of: dev, closed: .apply)
    let run = try await dev.submit(Blueprint.gated(named: "logged", gate))
    try await dev.plan(run)
    let streamed = Task {
      var seen: [EventStream.Event] = []
      for try await event in try await dev.porc.events("/runs/\(run)/logs?phase=apply") {
        seen.append(event)
        // What was done is told before the rest is done.
        if event.data.contains("terraform_data.first: Creation complete") { try gate.open(.apply) }
        if event.name == "end" { break }
      }
      return seen
    }
    try await dev.ask("apply", run)
    let events = try await streamed.value
    try await dev.until(run, is: "applied")
    let whole = events.filter { $0.name == "log" }.map(\.data).joined(separator: "\n") + "\n"
    #expect(whole.contains("Apply complete! Resources: 2 added"))
    #expect(whole == (try await dev.porc.get("/runs/\(run)/logs?phase=apply").expecting(200).text))

    let first = try #require(events.first { $0.name == "log" })
    var rest: [String] = []
    for try await event in try await dev.porc.events("/runs/\(run)/logs?phase=apply", after: first.id)
    where event.name == "log" { rest.append(event.data) }
    #expect(([first.data] + rest).joined(separator: "\n") + "\n" == whole)
  }

  @Test func aLongPollHoldsUntilSomethingChanges() async throws {
    let dev = try DevServer.current()
    let run = try await dev.submit(Blueprint.service(named: "polled"))
    let first = try await dev.porc.get("/runs/\(run)/status").expecting(200)
    let tag = try #require(first.header("ETag"))
    try await dev.porc.get("/runs/\(run)/status", headers: ["If-None-Match": tag]).expecting(304)

    let start = ContinuousClock.now
    let unchanged = try await dev.porc.get("/runs/\(run)/status?wait=1", headers: ["If-None-Match": tag])
      .expecting(304)
    #expect(unchanged.body.isEmpty && unchanged.header("ETag") == tag)
    #expect((Duration.milliseconds(950)..<Duration.seconds(20)).contains(ContinuousClock.now - start))

    async let changed = dev.porc.get("/runs/\(run)/status?wait=30", headers: ["If-None-Match": tag])
    let asked = ContinuousClock.now
    try await dev.ask("build", run)
    #expect(try await changed.expecting(200).header("ETag") != tag)
    #expect(ContinuousClock.now - asked < .seconds(20), "it waits for the change, not for its time")
    try await dev.porc.get("/runs/\(run)/status?wait=61").expecting(400)
  }
}

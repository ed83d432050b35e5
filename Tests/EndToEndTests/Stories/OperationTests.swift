import Foundation
import Processes
import TestKit
import Testing

/// Starting and stopping.
@Suite(.timeLimit(.minutes(1)))
struct OperationTests {
  @Test func openStreamsDoNotHoldUpTheEnd() async throws {
    let dev = try await DevServer.start()
    let gate = try Gate("held", of: dev, closed: .plan)
    let run = try await dev.submit(Blueprint.gated(named: "streamed", gate))
    try await dev.ask("plan", run)
    try await gate.reached(.plan)
    let readers = try await ["/events", "/runs/\(run)/events", "/runs/\(run)/logs"].asyncMap { path in
      var stream = try await dev.porc.events(path).makeAsyncIterator()
      if path != "/runs/\(run)/logs" { #expect(try await stream.next() != nil) }
      return Task { while try await stream.next() != nil {} }
    }
    let polled = Task { try await dev.porc.get("/runs/\(run)/status?wait=30") }
    try await dev.server.stop()
    for reader in readers { _ = await reader.result }
    _ = await polled.result

    // Started again in the same folder, it knows what it was doing; the plan was given up by TFE's own end.
    let again = try await DevServer.start(in: dev.folder)
    let status = try await again.until(run, is: "planned", "plan_failed", "canceled")
    try await again.shows("streamed", ["terraform_status": status["status"]])
    if FileManager.default.fileExists(atPath: gate.path + ".plan") { try gate.open(.plan) }
    try await again.plan(run)
    try await again.apply(run)
    try await again.shows("streamed", ["terraform_status": "applied"])
    try await again.server.stop()
  }

  @Test func aDataFolderHasOneServer() async throws {
    try await DevServer.run { dev in
      let second = try await Executable.run(
        "porc",
        [
          "dev", "--data", dev.data, "--listen", "127.0.0.1:0", "--tfe-listen", "127.0.0.1:0", "--port-listen",
          "127.0.0.1:0",
        ])
      #expect(second.status != .exited(0) && second.output.isEmpty, "\(second)")
      #expect(second.error.contains(dev.data) && second.error.contains("error:"), "\(second)")
      try await dev.porc.get("/readyz").expecting(200)
      try await dev.deploy(Blueprint.service(named: "undisturbed"))
    }
  }

  @Test(arguments: ["--listen", "--tfe-listen", "--port-listen"])
  func anOccupiedPortIsNamed(option: String) async throws {
    let occupant = ScriptedServer()
    try await occupant.serve { url in
      let address = url.replacing("http://", with: "")
      var options = ["--listen", "--tfe-listen", "--port-listen"].filter { $0 != option }.flatMap {
        [$0, "127.0.0.1:0"]
      }
      options += [option, address]
      let folder = try TemporaryFolder()
      let ended = try await Executable.run("porc", ["dev", "--data", folder.file("data").path] + options).exiting(7)
      #expect(ended.output.isEmpty)
      #expect(ended.error.contains("in use") && ended.error.contains(address), "\(ended)")
    }
  }
}

extension Sequence {
  fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
    var values: [Value] = []
    for element in self { values.append(try await transform(element)) }
    return values
  }
}

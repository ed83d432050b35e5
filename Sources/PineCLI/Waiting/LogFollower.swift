import PorcCore

/// Terraform's output as it grows, across restarts of PORC.
struct LogFollower: Sendable {
  let session: Session
  let porc: PorcClient
  let run: String
  let phase: LogPhase
  /// Whether somebody else tells that PORC is away.
  var isQuiet = false

  /// Shows the output until it is complete.
  ///
  /// - Parameter isOver: whether an end without any output is to be believed: before the run's own end it may only mean
  ///   that PORC was stopped.
  /// - Returns: whether there was any.
  func follow(isOver: @Sendable () -> Bool = { true }) async throws -> Bool {
    var text = TerraformText(allowsColours: session.output.palette.isOn)
    var last: String?
    var misses = 0
    defer { session.output.terraform(text.ending()) }
    while true {
      do {
        let hasEnded = try await session.patiently(isQuiet: isQuiet) {
          let call = Call.get("runs", run, "logs", query: [("phase", phase.rawValue)]).with("Last-Event-ID", last)
          return try await porc.stream(call) { event in
            if event.name == "log" {
              session.output.terraform(text.shown(event.data + "\n"))
              last = event.id ?? ""
            }
            return event.name != "end"
          }
        }
        if hasEnded, last != nil || isOver() { return last != nil }
      } catch let fault as Fault where fault.code == .notFound && misses < 3 {
        misses += 1
      }
      try await session.clock.sleep(for: .seconds(1))
    }
  }
}

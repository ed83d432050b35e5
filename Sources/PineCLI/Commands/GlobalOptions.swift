import ArgumentParser

/// What every verb takes.
struct GlobalOptions: ParsableArguments, Sendable {
  @Option(name: .customLong("porc-url"), help: "Where PORC is.")
  var porcURL: String?

  @Option(help: "A file that holds the token for PORC.")
  var tokenFile: String?

  @Flag(help: "Print what the API says, as JSON.")
  var json = false

  @Flag(help: "Print identifiers only.")
  var quiet = false

  @Flag(help: "Ask for the step and do not wait for its end.")
  var noWait = false

  @Option(help: ArgumentHelp("Stop waiting after this time; the run goes on.", valueName: "seconds"))
  var timeout: Int?

  var waits: Bool { !noWait }

  var form: Output.Form { json ? .json : quiet ? .ids : .people }

  func validate() throws {
    if json, quiet { throw ValidationError("--json and --quiet exclude each other.") }
    if let timeout, timeout < 1 { throw ValidationError("--timeout takes a number of seconds, at least 1.") }
  }
}

/// The run that a verb is about.
struct RunArgument: ParsableArguments, Sendable {
  @Option(name: .customLong("run-id"), help: "The run, by PORC's id or by TFE's.")
  var named: String?

  @Argument(help: ArgumentHelp("The same, without the option's name.", valueName: "run-id"))
  var positional: String?

  /// Valid after ``validate()``.
  var id: String { named ?? positional ?? "" }

  func validate() throws {
    if named != nil, positional != nil, named != positional { throw ValidationError("Name one run, not two.") }
    if id.isEmpty { throw ValidationError("Name the run: --run-id ID. 'pine runs' lists them.") }
  }
}

/// `--yes`, for scripts.
struct ConsentOption: ParsableArguments, Sendable {
  @Flag(name: .customLong("yes"), help: "Do not ask.")
  var isGiven = false
}

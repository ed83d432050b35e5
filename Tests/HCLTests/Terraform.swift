import Foundation
import HCL
import TestKit

/// The real `terraform`, in a folder of its own, without network: the judge in questions of what it takes and makes of it.
struct Terraform {
  let folder: TemporaryFolder

  static let path: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .map { "\($0)/terraform" }.first { FileManager.default.isExecutableFile(atPath: $0) }

  struct Failure: Error {
    let messages: [String]
    var diagnostics: [Value] = []
    /// All that it said, if that is one JSON value.
    var answer: Value?
  }

  init(files: [String: String]) throws {
    folder = try TemporaryFolder()
    for (name, text) in files { try folder.write(text, to: name) }
  }

  /// What `terraform apply` says that the outputs are.
  func outputs() throws -> Value {
    try run("init", "-input=false")
    try run("apply", "-input=false", "-auto-approve", "-json")
    let outputs = try JSONText.parse(run("output", "-json")).value
    return .object((outputs.objectValue ?? [:]).mapValues { $0["value"] ?? .null })
  }

  /// The errors of `terraform plan`, each with its detail; none if it is content.
  func planErrors() throws -> [String] {
    try run("init", "-input=false")
    do {
      try run("plan", "-input=false", "-json")
      return []
    } catch let failure as Failure {
      return failure.messages
    }
  }

  /// The errors of `terraform plan` as it tells them to programs: `summary`, `detail`, `range`. None if it is content.
  func planDiagnostics() throws -> [Value] {
    try run("init", "-input=false")
    do {
      try run("plan", "-input=false", "-out=p", "-json")
      return []
    } catch let failure as Failure {
      return failure.diagnostics
    }
  }

  /// The outputs as the plan that ``planDiagnostics()`` made has them.
  func plannedOutputs() throws -> Value {
    let plan = try JSONText.parse(run("show", "-json", "p")).value
    let outputs = plan.value(at: [.key("planned_values"), .key("outputs")]) ?? [:]
    return .object((outputs.objectValue ?? [:]).mapValues { $0["value"] ?? .null })
  }

  /// The errors of `terraform validate`, likewise.
  func validateDiagnostics() throws -> [Value] {
    do {
      try run("validate", "-json")
      return []
    } catch let failure as Failure {
      return (failure.answer?["diagnostics"]?.arrayValue ?? []).filter { $0["severity"] == "error" }
    }
  }

  /// Whether `terraform validate` finds the files right.
  func isValid() throws -> Bool {
    do {
      try run("validate")
      return true
    } catch is Failure {
      return false
    }
  }

  /// Whether the grammar of the files is right, whatever they mean.
  func isParsed() throws -> Bool {
    do {
      try run("fmt")
      return true
    } catch is Failure {
      return false
    }
  }

  /// The root module's variables as a plan shows them: defaults converted, optional attributes filled in.
  func plannedVariables() throws -> Value {
    try run("init", "-input=false")
    try run("plan", "-input=false", "-out=p")
    let plan = try JSONText.parse(run("show", "-json", "p")).value
    return plan.value(at: [.key("configuration"), .key("root_module"), .key("variables")]) ?? [:]
  }

  @discardableResult
  private func run(_ arguments: String...) throws -> Data {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.path ?? "/nonexistent")
    process.arguments = arguments
    process.currentDirectoryURL = folder.url
    var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("TF_") }
    environment["CHECKPOINT_DISABLE"] = "1"
    environment["HOME"] = folder.path
    process.environment = environment
    // Files instead of pipes: a full pipe that nobody reads would stop both sides.
    let (output, errors) = (folder.file("stdout.txt"), folder.file("stderr.txt"))
    for file in [output, errors] { try Data().write(to: file) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    let data = try Data(contentsOf: output)
    guard process.terminationStatus == 0 else {
      let diagnostics = Self.diagnostics(data)
      let messages = diagnostics.compactMap { ($0["detail"] ?? $0["summary"])?.stringValue }
      throw Failure(
        messages: messages + [try String(contentsOf: errors, encoding: .utf8)], diagnostics: diagnostics,
        answer: try? JSONText.parse(data).value)
    }
    return data
  }

  /// Of a command that speaks JSON line by line.
  private static func diagnostics(_ output: Data) -> [Value] {
    output.split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard let message = try? JSONText.parse(line).value, message["@level"] == "error" else { return nil }
      return message["diagnostic"] ?? ["detail": message["@message"] ?? .null]
    }
  }
}

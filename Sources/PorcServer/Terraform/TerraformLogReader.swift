import Foundation
import HCL
import PorcCore

/// Makes readable text of a Terraform log as TFE streams it: lines of JSON (`terraform -json`, its machine-readable UI),
/// plain text, or both mixed; framed by STX and ETX.
struct TerraformLogReader {
  /// The first error that Terraform reported.
  private(set) var firstError: Failure?
  private let phase: Phase
  private var line: [UInt8] = []
  /// The bytes since the last line feed, those included that are not kept.
  private(set) var pendingBytes = 0
  private var plainError: [String]?
  private var quotesValues = false
  private var lines: [String] = []

  /// Longer lines are cut: nobody reads them, and memory stays bounded.
  private static let maximumLine = 1 << 20

  /// How Terraform's structured lines begin: it writes `@level` first.
  private static let structuredStart = Array(#"{"@"#.utf8)

  /// Which of a run's two logs it is.
  enum Phase: String, CaseIterable, Sendable { case plan, apply }

  init(_ phase: Phase) {
    self.phase = phase
  }

  mutating func append(_ bytes: [UInt8]) {
    for byte in bytes {
      pendingBytes += 1
      switch byte {
      case 0x02, 0x03: continue  // STX and ETX
      case UInt8(ascii: "\n"): endLine()
      default: if line.count < Self.maximumLine { line.append(byte) }
      }
    }
  }

  /// The log is complete: a last line needs no line feed.
  mutating func finish() {
    if !line.isEmpty { endLine() }
    notePlainError()
  }

  /// The readable lines since the last call.
  mutating func takeLines() -> [String] {
    defer { lines = [] }
    return lines
  }

  private mutating func endLine() {
    defer { (line, pendingBytes) = ([], 0) }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    if line.first == UInt8(ascii: "{"), let value = try? JSONText.parse(line).value, value["@message"] != nil {
      if let text = structured(value) {
        lines += text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      }
    } else if line.starts(with: Self.structuredStart) {
      // Cut, or damaged. As it stands it may show a value that is to be masked.
      lines.append("(a line that cannot be read)")
    } else {
      let text = String(decoding: line, as: UTF8.self)
      if isQuotingValues(text) { return }
      lines.append(text)
      plain(text)
    }
  }

  // MARK: Structured lines

  private mutating func structured(_ value: Value) -> String? {
    let message = value["@message"]?.stringValue ?? ""
    switch value["type"]?.stringValue {
    case "diagnostic": return diagnostic(value["diagnostic"] ?? .null) ?? message
    case "outputs": return outputs(value["outputs"] ?? .null)
    // The stream's own head has said the version, and an apply's log repeats what its plan's log showed.
    case "version": return nil
    case "planned_change" where phase == .apply, "resource_drift" where phase == .apply: return nil
    default: return message
    }
  }

  private mutating func diagnostic(_ value: Value) -> String? {
    guard let summary = value["summary"]?.stringValue else { return nil }
    let detail = value["detail"]?.stringValue ?? ""
    let address = value["address"]?.stringValue
    let isError = value["severity"]?.stringValue == "error"
    if isError, firstError == nil {
      let words = detail.trimmingCharacters(in: .whitespacesAndNewlines)
      firstError = Failure(summary, detail: words.isEmpty ? nil : words, address: address)
    }
    var text = "\n\(isError ? "Error" : "Warning"): \(summary)\n"
    let file = value["range"]?["filename"]?.stringValue
    // A variable's given value may be a secret, and Terraform quotes it.
    if let file, !Self.holdsValues(file), let line = value["range"]?["start"]?["line"]?.intValue {
      text += "\n  on \(file) line \(line)"
      if let context = value["snippet"]?["context"]?.stringValue { text += ", in \(context)" }
      text += ":\n"
      if let code = value["snippet"]?["code"]?.stringValue { text += "  \(line): \(code)\n" }
    } else if let address {
      text += "\n  with \(address)\n"
    }
    return detail.isEmpty ? text : text + "\n\(detail)\n"
  }

  private func outputs(_ value: Value) -> String? {
    guard let outputs = value.objectValue, !outputs.isEmpty else { return nil }
    // Those of a plan say what will become of them; only an apply's have their values.
    let known = outputs.filter { $0.value["action"] == nil }
    guard !known.isEmpty else { return nil }
    let rows = known.sorted { $0.key < $1.key }.map { name, output in
      output["sensitive"]?.boolValue == true
        ? "\(name) = (sensitive value)" : "\(name) = \((output["value"] ?? .null).hclLiteral)"
    }
    return "\nOutputs:\n\n" + rows.joined(separator: "\n")
  }

  /// Whether a file gives variables their values.
  private static func holdsValues(_ file: String) -> Bool {
    file.hasSuffix(".tfvars") || file.hasSuffix(".tfvars.json")
  }

  // MARK: Plain lines

  /// Terraform frames an error with box characters; the words begin with `Error: ` and end with the frame.
  private mutating func plain(_ text: String) {
    let words = Self.unframed(text)
    // Terraform's init only announces the error that follows.
    let isAnnounced = plainError?.first?.hasPrefix("Terraform encountered problems during initialisation") == true
    if plainError == nil || (isAnnounced && words.hasPrefix("Error: ")) {
      guard firstError == nil, words.hasPrefix("Error: ") else { return }
      plainError = [String(words.dropFirst("Error: ".count))]
    } else if words.hasPrefix("╵") || plainError?.count == 12 {
      notePlainError()
    } else {
      plainError?.append(words)
    }
  }

  /// Terraform quotes where a value was given: `on prod.tfvars line 1:`, then the line itself, until an empty one.
  private mutating func isQuotingValues(_ text: String) -> Bool {
    let words = Self.unframed(text)
    if words.hasPrefix("on "), words.contains(".tfvars") {
      quotesValues = true
    } else if words.isEmpty {
      quotesValues = false
    }
    return quotesValues
  }

  private mutating func notePlainError() {
    guard let words = plainError else { return }
    plainError = nil
    // Of a resource, Terraform says `with aws_s3_bucket.this,` before anything else.
    let address = words.dropFirst().first { !$0.isEmpty }.flatMap { line in
      line.hasPrefix("with ") && line.hasSuffix(",") ? String(line.dropFirst("with ".count).dropLast()) : nil
    }
    let detail = words.dropFirst().joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
    firstError = firstError ?? Failure(words.first ?? "", detail: detail.isEmpty ? nil : detail, address: address)
  }

  private static func unframed(_ text: String) -> String {
    var rest = Substring(text)
    // Colours: ESC [ … m
    while let escape = rest.range(of: "\u{1B}["), let end = rest[escape.upperBound...].firstIndex(of: "m") {
      rest = rest[..<escape.lowerBound] + rest[rest.index(after: end)...]
    }
    return String(rest.drop { $0 == "│" || $0 == "╷" || $0 == " " })
  }
}

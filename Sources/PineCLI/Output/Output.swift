import PorcCore

/// Everything a command says. Standard output is the answer, standard error the conversation.
struct Output: Sendable {
  /// What the answer is made for.
  enum Form: Sendable {
    case people
    /// What the API said, byte for byte.
    case json
    /// Identifiers, one a line.
    case ids
  }

  let form: Form
  let palette: Palette
  let errorPalette: Palette
  private let screen: Screen

  init(form: Form, streams: OutputStreams, environment: [String: String]) {
    self.form = form
    palette = Palette(isTerminal: streams.isOutputTerminal, environment: environment)
    errorPalette = Palette(isTerminal: streams.isErrorTerminal, environment: environment)
    screen = Screen(streams: streams, moves: errorPalette.isOn)
  }

  // MARK: The answer

  /// The command's answer in the form that was asked for.
  ///
  /// - Parameters:
  ///   - bytes: what the API said.
  ///   - ids: what `--quiet` prints.
  ///   - people: the lines for people.
  func answer(_ bytes: [UInt8], ids: [String], people: () throws -> [Prose]) rethrows {
    switch form {
    case .people: try people().forEach(line)
    case .json: json(bytes)
    case .ids: ids.forEach { line(Prose($0)) }
    }
  }

  func line(_ line: Prose) { print(.output, line.rendered(palette)) }

  func json(_ bytes: [UInt8]) {
    var bytes = bytes
    if screen.streams.isOutputTerminal { bytes = Array(TerminalText.json(String(decoding: bytes, as: UTF8.self)).utf8) }
    if bytes.last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
    screen.write(.output, bytes)
  }

  /// Bytes as they came, for a program that reads them.
  func raw(_ bytes: [UInt8]) { screen.write(.output, bytes) }

  /// Text that a ``TerraformText`` has looked through.
  func terraform(_ text: String) {
    if !text.isEmpty { screen.write(.output, Array(text.utf8)) }
  }

  // MARK: The conversation

  /// Something that a person who waits likes to know; `--quiet` means without it.
  func note(_ line: Prose) {
    if form != .ids { print(.error, line.rendered(errorPalette)) }
  }

  func warn(_ message: String, fix: String? = nil) {
    print(.error, ("\("warning:", .yellow) \(message)" as Prose).rendered(errorPalette))
    if let fix { print(.error, ("  try: \(fix)" as Prose).rendered(errorPalette)) }
  }

  func complain(_ complaint: Complaint) {
    var lines: [Prose] = ["\("error:", .red) \(complaint.message)"]
    for detail in complaint.details { lines += TerminalText.visibleLines(detail).map { "  \($0)" } }
    for finding in complaint.findings { lines += Self.lines(for: finding, in: complaint.file) }
    // Findings have their own.
    if let fix = complaint.fix, complaint.findings.isEmpty { lines.append("  try: \(fix)") }
    print(.error, lines.map { $0.rendered(errorPalette) }.joined(separator: "\n"))
  }

  /// What is wrong with a document, or doubtful.
  func tell(_ findings: [Finding], in file: String?) {
    for finding in findings {
      print(.error, Self.lines(for: finding, in: file).map { $0.rendered(errorPalette) }.joined(separator: "\n"))
    }
  }

  /// `file.yaml:12:3: error: message`, as editors and compilers have it, and how to mend it.
  private static func lines(for finding: Finding, in file: String?) -> [Prose] {
    var place = file ?? ""
    if let line = finding.line {
      place += file == nil ? "line \(line)" : ":\(line)"
      if let column = finding.column { place += ":\(column)" }
    } else if !finding.pointer.isEmpty {
      place += place.isEmpty ? finding.pointer : ": \(finding.pointer)"
    }
    let head: Prose = place.isEmpty ? "" : "\(place, .bold): "
    let kind: Prose = finding.severity == .warning ? "\("warning:", .yellow)" : "\("error:", .red)"
    let lines: [Prose] = ["\(head)\(kind) \(finding.message)"]
    return lines + (finding.fix.map { ["  try: \($0)"] } ?? [])
  }

  // MARK: Questions and movement

  /// Asks a person on standard error.
  func ask(_ question: Prose) {
    clearProgress()
    screen.write(.error, Array((question.rendered(errorPalette) + " [y/N] ").utf8))
  }

  /// What the moving line says.
  func progress(_ text: String) { screen.progress(TerminalText.visible(text)) }
  func clearProgress() { screen.progress(nil) }

  /// Moves the line, if there is one, while `work` runs.
  func moving<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
    guard screen.moves, form != .ids else { return try await work() }
    defer { clearProgress() }
    return try await withThrowingTaskGroup(of: Value?.self) { group in
      defer { group.cancelAll() }
      group.addTask { try await work() }
      group.addTask { [screen] in
        while !Task.isCancelled {
          screen.tick()
          try await Task.sleep(for: .milliseconds(120))
        }
        return nil
      }
      for try await case let value? in group { return value }
      throw CancellationError()
    }
  }

  private func print(_ stream: OutputStreams.Stream, _ text: String) { screen.write(stream, Array((text + "\n").utf8)) }
}

import TestKit
import Testing

@testable import PineCLI

struct ServerSentEventParserTests {
  private func events(_ text: String, pieces: Int = .max) throws -> [ServerSentEvent] {
    var parser = ServerSentEventParser()
    var events: [ServerSentEvent] = []
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      events += try parser.feed(rest.prefix(pieces))
      rest = rest.dropFirst(pieces)
    }
    return events
  }

  private static let stream = """
    \u{FEFF}: connected

    id: plan:12
    event: log
    data: first ✓
    data:
    data:  indented

    event: end
    data: {}


    """

  @Test(arguments: [1, 2, 3, 7, 1000])
  func eventsAreTheSameHoweverTheyAreCut(pieces: Int) throws {
    #expect(
      try events(Self.stream, pieces: pieces) == [
        ServerSentEvent(id: "plan:12", name: "log", data: "first ✓\n\n indented"),
        ServerSentEvent(id: "plan:12", name: "end", data: "{}"),
      ])
  }

  @Test(arguments: ["\n", "\r", "\r\n"], [1, 1000])
  func everyLineEndIsOne(end: String, pieces: Int) throws {
    let text = ["event: log", "data: a", "data: b", "", "data: c", "", ""].joined(separator: end)
    #expect(
      try events(text, pieces: pieces) == [
        ServerSentEvent(id: nil, name: "log", data: "a\nb"), ServerSentEvent(id: nil, name: "message", data: "c"),
      ])
  }

  @Test func commentsAndUnknownFieldsAreNothing() throws {
    #expect(try events(": x\nretry: 5\nfoo: bar\n\n").isEmpty)
  }

  @Test func anEventThatWasNotFinishedIsNone() throws {
    #expect(try events("event: log\ndata: half").isEmpty)
  }

  @Test func anIdWithANullIsIgnored() throws {
    #expect(try events("id: a\u{0}b\ndata: x\n\n").first?.id == nil)
  }

  @Test func aStreamWithoutLinesDoesNotFillTheMemory() {
    var parser = ServerSentEventParser()
    #expect(throws: (any Error).self) {
      try parser.feed(repeatElement(UInt8(ascii: "x"), count: ServerSentEventParser.maximumLineBytes + 1))
    }
  }
}

struct TerraformTextTests {
  private func shown(_ text: String, colours: Bool = true) -> String {
    var filter = TerraformText(allowsColours: colours)
    return filter.shown(text)
  }

  @Test func coloursPassOnATerminalOnly() {
    let text = "\u{1B}[1m\u{1B}[31mError\u{1B}[0m: no\n"
    #expect(shown(text) == text)
    #expect(shown(text, colours: false) == "Error: no\n")
  }

  @Test(arguments: [
    "\u{1B}[2J", "\u{1B}[1;1H", "\u{1B}]0;title\u{7}", "\u{1B}]52;c;ZXZpbA==\u{1B}\\", "\u{1B}P1$r\u{1B}\\", "\u{1B}c",
    "\u{1B}(0",
    "\u{9B}2J", "\u{9D}0;x\u{9C}", "\u{8}", "\r", "\u{7}", "\u{202E}", "\u{1B}[?25l", "\u{1B}[38:5:1m", "\u{1B}[>4;1m",
  ])
  func everythingElseIsTakenOut(sequence: String) {
    #expect(shown("a\(sequence)b\n") == "ab\n")
    var filter = TerraformText(allowsColours: true)
    var result = ""
    for scalar in "a\(sequence)b\n".unicodeScalars { result += filter.shown(String(scalar)) }
    #expect(result == "ab\n")
  }

  @Test func aSequenceLeftOpenDoesNotSwallowTheLog() {
    #expect(shown("a\u{1B}]0;never closed\nb\n") == "a\nb\n")
    #expect(shown("a\u{1B}[31\nb\n") == "a\nb\n")
  }

  @Test func aColourLeftOnIsEnded() {
    var filter = TerraformText(allowsColours: true)
    _ = filter.shown("\u{1B}[31mred")
    #expect(filter.ending() == "\u{1B}[0m")
    #expect(filter.ending().isEmpty)
  }
}

struct TerminalTextTests {
  @Test func whatWouldActIsMadeVisible() {
    #expect(TerminalText.visible("a\u{1B}[31mb\u{7}\u{9B}\u{202E}\n\t") == "a\\u{1b}[31mb\\u{7}\\u{9b}\\u{202e}\\n\\t")
    #expect(TerminalText.visible("größer ✓ 🐖") == "größer ✓ 🐖")
  }

  @Test func linesStayLines() {
    #expect(TerminalText.visibleLines("a\r\n\tb\u{1B}") == ["a", "  b\\u{1b}"])
  }

  @Test func jsonStaysTheSameDocument() {
    #expect(TerminalText.json("{\"a\":\"\u{9B}31m\"}\n") == "{\"a\":\"\\u009b31m\"}\n")
  }

  @Test func proseTrustsItsOwnTextOnly() {
    let evil = "x\u{1B}[2J"
    let on = Palette(isTerminal: true, environment: [:])
    #expect(("state \(evil, .red)" as Prose).rendered(on) == "state \u{1B}[31mx\\u{1b}[2J\u{1B}[0m")
  }

  @Test(arguments: [(["NO_COLOR": "1"], true), (["TERM": "dumb"], true), ([:], false)] as [([String: String], Bool)])
  func coloursAreOffWhereTheyAreNotWanted(environment: [String: String], isTerminal: Bool) {
    #expect(!Palette(isTerminal: isTerminal, environment: environment).isOn)
  }
}

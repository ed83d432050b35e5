import Foundation
import PorcCore
import TestKit
import Testing

@testable import PorcServer

/// Terraform's output as TFE streams it, made readable.
struct TerraformLogReaderTests {
  private static func read(_ text: String, _ phase: TerraformLogReader.Phase = .plan) -> (
    lines: [String], error: Failure?
  ) {
    read([Array(text.utf8)], phase)
  }

  private static func read(_ chunks: [[UInt8]], _ phase: TerraformLogReader.Phase = .plan) -> (
    lines: [String], error: Failure?
  ) {
    var reader = TerraformLogReader(phase)
    var lines: [String] = []
    for chunk in chunks {
      reader.append(chunk)
      lines += reader.takeLines()
    }
    reader.finish()
    return (lines + reader.takeLines(), reader.firstError)
  }

  /// Terraform quotes the line where a variable was given its value; that value may be a secret.
  @Test func whereAValueWasGivenIsNotQuoted() {
    let structured = """
      {"@level":"error","@message":"Error: Invalid value for variable","type":"diagnostic","diagnostic":{\
      "severity":"error","summary":"Invalid value for variable","detail":"too short","range":{"filename":\
      "/data/workspace.tfvars","start":{"line":1,"column":12}},"snippet":{"context":null,"code":"password = \\"S3CRET\\""}}}
      """
    let plain = """
      ╷
      │ Error: Invalid value for variable
      │\u{20}
      │   on terraform.tfvars.json line 2:
      │    2:   "password": "S3CRET",
      │\u{20}
      │ too short
      ╵
      """
    for text in [structured, plain] {
      let read = Self.read(text)
      #expect(!read.lines.joined().contains("S3CRET"), "\(read.lines)")
      #expect(read.lines.contains { $0.contains("Invalid value for variable") })
      #expect(read.error?.summary == "Invalid value for variable" && read.error?.detail?.contains("too short") == true)
      #expect(read.error?.text.contains("S3CRET") == false)
    }
  }

  /// A plan with everything in it: marks, plain and structured lines, letters of several bytes, both kinds of line ends.
  private static let mixed = """
    \u{2}Terraform v1.11.4
    on linux_amd64
    {"@level":"info","@message":"Terraform 1.11.4","type":"version","terraform":"1.11.4"}
    {"@level":"info","@message":"random_pet.größe: Plan to create","type":"planned_change"}
    \u{1B}[1mplain\u{1B}[0m — with a dash\r
    {"@level":"error","@message":"Error: Größe fehlt","type":"diagnostic","diagnostic":{"severity":"error",\
    "summary":"Größe fehlt","detail":"It is needed.","address":"random_pet.größe","range":{"filename":"main.tf",\
    "start":{"line":7,"column":1}},"snippet":{"context":"resource \\"random_pet\\" \\"größe\\"","code":"  size = null"}}}
    last line without an end\u{3}
    """

  @Test func aMixedLogBecomesText() {
    let (lines, error) = Self.read(Self.mixed)
    #expect(
      lines == [
        "Terraform v1.11.4", "on linux_amd64", "random_pet.größe: Plan to create",
        "\u{1B}[1mplain\u{1B}[0m — with a dash", "", "Error: Größe fehlt", "",
        #"  on main.tf line 7, in resource "random_pet" "größe":"#, "  7:   size = null", "", "It is needed.", "",
        "last line without an end",
      ])
    #expect(error == Failure("Größe fehlt", detail: "It is needed.", address: "random_pet.größe"))
  }

  @Test func howItIsCutDoesNotMatter() {
    let bytes = Array(Self.mixed.utf8)
    let whole = Self.read([bytes])
    for split in 0...bytes.count {
      let parts = Self.read([Array(bytes[..<split]), Array(bytes[split...])])
      #expect(parts.lines == whole.lines && parts.error == whole.error, "cut at \(split)")
    }
    let single = Self.read(bytes.map { [$0] })
    #expect(single.lines == whole.lines && single.error == whole.error)
  }

  /// Who resumes at what was handed out, less what was pending, sees every line once.
  @Test(arguments: 1...60)
  func readingResumesAfterTheLastWholeLine(size: Int) {
    let bytes = Array(Self.mixed.utf8)
    var (lines, offset) = ([String](), 0)
    while offset < bytes.count {
      // Each time a reader of its own, that reads at least one line and stops in the middle of another.
      var reader = TerraformLogReader(.plan)
      var end = offset
      while end < bytes.count, reader.pendingBytes == end - offset {
        let next = min(end + size, bytes.count)
        reader.append(Array(bytes[end..<next]))
        end = next
      }
      if end == bytes.count { reader.finish() }
      lines += reader.takeLines()
      offset = end - reader.pendingBytes
    }
    #expect(lines == Self.read([bytes]).lines)
  }

  @Test func theFirstErrorCountsNotTheLast() {
    let error = { (summary: String) in
      #"{"@level":"error","@message":"m","type":"diagnostic","diagnostic":{"severity":"error","summary":"\#(summary)","detail":""}}"#
    }
    let warning =
      #"{"@level":"warn","@message":"m","type":"diagnostic","diagnostic":{"severity":"warning","summary":"old"}}"#
    let read = Self.read([warning, error("first"), error("second")].joined(separator: "\n"))
    #expect(read.error == Failure("first"))
    #expect(read.lines.contains("Warning: old") && read.lines.contains("Error: second"))
  }

  /// As Terraform frames it on a terminal.
  @Test(arguments: [true, false])
  func aPlainErrorIsRead(isColoured: Bool) {
    let (red, bold, off) = isColoured ? ("\u{1B}[31m", "\u{1B}[1m", "\u{1B}[0m") : ("", "", "")
    let text = """
      Initializing plugins and modules...
      \(red)╷\(off)\(off)
      \(red)│\(off) \(bold)\(red)Error: \(off)\(off)\(bold)creating bucket: AccessDenied\(off)
      \(red)│\(off) \(off)
      \(red)│\(off) \(off)  with module.store.aws_s3_bucket.this["a"],
      \(red)│\(off) \(off)  on main.tf line 3, in resource "aws_s3_bucket" "this":
      \(red)│\(off) \(off)   3: resource "aws_s3_bucket" "this" {\(off)
      \(red)│\(off) \(off)
      \(red)│\(off) \(off)You may not do this.
      \(red)╵\(off)\(off)
      \(red)╷\(off)
      \(red)│\(off) Error: another
      \(red)╵\(off)
      """
    let error = Self.read(text).error
    #expect(error?.summary == "creating bucket: AccessDenied")
    #expect(error?.address == #"module.store.aws_s3_bucket.this["a"]"#)
    #expect(error?.detail?.contains("You may not do this.") == true)
    #expect(error?.detail?.contains("another") == false)
  }

  @Test func anErrorAtTheEndOfALogNeedsNoFrame() {
    #expect(Self.read("Error: No configuration files\n\nThe folder is empty.").error?.detail == "The folder is empty.")
    #expect(Self.read("Error: only this").error == Failure("only this"))
  }

  @Test func aSensitiveOutputIsNotShown() {
    let outputs =
      #"{"@level":"info","@message":"Outputs: 2","type":"outputs","outputs":{"a":{"sensitive":false,"type":"string","value":"shown"},"b":{"sensitive":true,"type":"string","value":"s3cret"}}}"#
    let text = Self.read(outputs, .apply).lines.joined(separator: "\n")
    #expect(text.contains(#"a = "shown""#) && text.contains("b = (sensitive value)"))
    #expect(!text.contains("s3cret"))
  }

  @Test func whatAPlanSaysOfOutputsIsNotTheirValue() {
    let outputs = #"{"@message":"Outputs: 1","type":"outputs","outputs":{"a":{"sensitive":false,"action":"create"}}}"#
    #expect(Self.read(outputs).lines == [])
  }

  /// Masking needs the whole line: what cannot be read as one is not shown.
  @Test func aDamagedStructuredLineIsNotShown() {
    let start =
      #"{"@level":"info","@message":"Outputs: 1","type":"outputs","outputs":{"b":{"sensitive":true,"value":"s3cret"#
    let deep = start + #"","x":"# + String(repeating: "[", count: 300) + String(repeating: "]", count: 300) + "}}}"
    let long = start + String(repeating: "x", count: 2 << 20) + #""}}}"#
    for line in [start, deep, long] {
      let text = Self.read(line + "\nafter\n").lines
      #expect(text == ["(a line that cannot be read)", "after"])
    }
  }

  /// Each kind of line that `terraform -json` writes says itself what it is for people.
  @Test(arguments: [
    "planned_change", "resource_drift", "change_summary", "apply_start", "apply_progress", "apply_complete",
    "apply_errored", "provision_start", "provision_progress", "provision_complete", "provision_errored",
    "refresh_start", "refresh_complete", "ephemeral_op_start", "ephemeral_op_progress", "ephemeral_op_complete",
    "ephemeral_op_errored", "log", "a_type_of_next_year",
  ])
  func everyKindOfLineIsItsMessage(type: String) {
    let read = Self.read(
      #"{"@level":"info","@message":"a: said","@timestamp":"2026-01-01T00:00:00Z","type":"\#(type)","hook":{}}"#)
    #expect(read.lines == ["a: said"])
    #expect(read.error == nil)
  }

  @Test func anApplyDoesNotRepeatThePlan() {
    let change = #"{"@message":"a: Plan to create","type":"planned_change"}"#
    #expect(Self.read(change, .plan).lines == ["a: Plan to create"])
    #expect(Self.read(change, .apply).lines == [])
  }

  @Test func anOverlongLineIsCutAndCountedWhole() {
    var reader = TerraformLogReader(.plan)
    let count = 3 << 20
    reader.append([UInt8](repeating: UInt8(ascii: "x"), count: count))
    #expect(reader.pendingBytes == count)
    reader.append(Array("\nnext\n".utf8))
    let lines = reader.takeLines()
    #expect(lines.count == 2 && lines.last == "next")
    #expect(lines[0].utf8.count == 1 << 20)
    #expect(reader.pendingBytes == 0)
  }

  @Test func bytesThatAreNoTextDoNoHarm() {
    var random = SplitMix(seed: 7)
    for _ in 0..<200 {
      let bytes = (0..<200).map { _ in [0x0A, 0x1B, 0x5B, 0x6D, 0x7B, 0xE2].randomElement(using: &random) ?? 0 as UInt8
      }
      let whole = Self.read([bytes])
      #expect(whole.lines == Self.read(bytes.map { [$0] }).lines)
    }
  }
}

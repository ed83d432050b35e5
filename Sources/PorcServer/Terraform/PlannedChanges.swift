import HCL
import PorcCore
import TerraformEnterprise

/// What a plan would do to each resource, as the plan's own log tells it: Terraform writes a line for each, and one at
/// their end (its machine-readable UI, `planned_change` and `change_summary`). The same can be had as JSON, but that comes
/// with the schemas of all providers, which are megabytes, and costs a call that TFE counts.
struct PlannedChanges {
  private(set) var changes: [ResourceChange] = []
  /// Nothing of interest can follow: the list is at its end, or as long as anybody wants it.
  private(set) var isComplete = false
  private var line: [UInt8] = []

  /// Longer lines are passed over: none that matters here is as long.
  private static let maximumLine = 1 << 16
  private static let change = Array(#""planned_change""#.utf8)
  private static let summary = Array(#""change_summary""#.utf8)

  /// - Parameter bytes: the next piece of the log, which may end anywhere.
  mutating func append(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      keep(rest[..<end])
      endLine()
      rest = rest[(end + 1)...]
    }
    keep(rest)
  }

  private mutating func keep(_ piece: ArraySlice<UInt8>) {
    line += piece.prefix(max(0, Self.maximumLine + 1 - line.count))
  }

  private mutating func endLine() {
    defer { line.removeAll(keepingCapacity: true) }
    guard !isComplete, line.count <= Self.maximumLine, line.first == UInt8(ascii: "{"),
      line.contains(Self.change) || line.contains(Self.summary), let value = try? JSONText.parse(line).value
    else { return }
    switch value["type"]?.stringValue {
    case "planned_change": if let change = ResourceChange(planned: value["change"] ?? .null) { changes.append(change) }
    case "change_summary": isComplete = true
    default: break
    }
    if changes.count >= PlanSummary.maximumResources { isComplete = true }
  }
}

extension ResourceChange {
  /// `nil` for what nothing happens to.
  fileprivate init?(planned change: Value) {
    guard let address = change["resource"]?["addr"]?.stringValue, let action = change["action"]?.stringValue else {
      return nil
    }
    switch action {
    case "noop" where change["importing"] != nil: self.init(address: address, action: "import")
    case "noop", "move": return nil
    case "remove": self.init(address: address, action: "forget")
    default: self.init(address: address, action: action)
    }
  }
}

extension RunDriver {
  /// What a finished plan's log says; `nil` if it does not say all, as one of plain text.
  func plannedChanges(in log: SignedURL?) async throws -> [ResourceChange]? {
    guard let log else { return nil }
    var planned = PlannedChanges()
    var offset = 0
    // A log may be a moment behind its plan; one that goes on and on is not worth more than the JSON.
    var waits = 5
    while offset < 32 << 20 {
      guard let chunk = try? await client.logs.read(log, offset: offset, limit: 1 << 20) else { return nil }
      planned.append(chunk.bytes)
      if planned.isComplete { return planned.changes }
      if chunk.isComplete { return nil }
      if chunk.bytes.isEmpty {
        guard waits > 0 else { return nil }
        waits -= 1
        try await Task.sleep(for: .milliseconds(100))
      }
      offset = chunk.nextOffset
    }
    return nil
  }
}

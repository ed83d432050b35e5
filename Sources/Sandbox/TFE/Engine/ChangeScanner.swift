import Synchronization

/// Finds, in terraform's JSON lines as they come, how many resources a plan or an apply changes.
final class ChangeScanner: Sendable {
  private struct State {
    var rest: [UInt8] = []
    var counts: Run.ChangeCount?
  }
  private let state = Mutex(State())

  /// The newest summary; nil before there was one.
  var counts: Run.ChangeCount? { state.withLock { $0.counts } }

  func scan(_ chunk: [UInt8]) {
    state.withLock { state in
      state.rest += chunk
      var start = state.rest.startIndex
      while let end = state.rest[start...].firstIndex(of: 0x0A) {
        if let counts = Self.counts(state.rest[start..<end]) { state.counts = counts }
        start = end + 1
      }
      state.rest.removeSubrange(..<start)
    }
  }

  /// A line such as `{"type":"change_summary","changes":{"add":1,"change":0,"import":0,"remove":0,…}}`.
  private static func counts(_ line: ArraySlice<UInt8>) -> Run.ChangeCount? {
    guard line.first == UInt8(ascii: "{"), String(decoding: line, as: UTF8.self).contains("\"change_summary\""),
      let document = try? JSONValue(parsing: line), document["type"] == "change_summary"
    else { return nil }
    let changes = document["changes"]
    return Run.ChangeCount(
      additions: changes["add"].int ?? 0, changes: changes["change"].int ?? 0,
      destructions: changes["remove"].int ?? 0, imports: changes["import"].int ?? 0)
  }
}

extension Run.ChangeCount {
  /// Counted from a plan's JSON (`terraform show -json`).
  init(plan: JSONValue) {
    for resource in plan["resource_changes"].array ?? [] {
      let actions = (resource["change"]["actions"].array ?? []).compactMap(\.string)
      if actions.contains("create") { additions += 1 }
      if actions.contains("update") { changes += 1 }
      if actions.contains("delete") { destructions += 1 }
      if !resource["change"]["importing"].isNull { imports += 1 }
    }
  }
}

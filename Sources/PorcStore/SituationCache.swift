import PorcCore

/// The instances and runs that were read or written last, decoded.
struct SituationCache: Sendable {
  /// By the number of the row.
  let instances = DocumentCache<Int64, Instance>(capacity: 4096)
  let runs = DocumentCache<Run.ID, Run>(capacity: 8192)

  /// Remembers what a decision wrote. Only after its commit.
  func remember(_ written: LoadedSituation) {
    let row = written.instanceRow
    instances.remember(written.situation.instance, row.number, version: row.version)
    for (id, version) in written.runVersions {
      if let run = written.situation.runs[id] { runs.remember(run, id, version: version) }
    }
  }
}

/// A situation, with what the rows say that it was read from.
struct LoadedSituation: Sendable {
  struct InstanceRow: Sendable {
    var number: Int64
    var version: Int64
    /// An instance out of the list: its runs still can be looked at.
    var isRemoved: Bool
  }

  var situation: Situation
  var instanceRow: InstanceRow
  /// Of the runs that are in the situation.
  var runVersions: [Run.ID: Int64]

  func located(_ run: Run.ID, askedBy tfeRunID: String? = nil) -> Located? {
    situation.runs[run].map {
      Located(run: $0, situation: situation, askedByTFERunID: tfeRunID, version: instanceRow.version)
    }
  }
}

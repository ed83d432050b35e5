import PorcCore
import Synchronization

/// The situations that were written or read last, as they are: for a server that alone writes its database, they are
/// true without a look into it. Reading a run's status, which many do again and again, then costs no query.
///
/// The rows count their versions, so whatever comes late and is older is passed over.
final class LiveSituations: Sendable {
  private struct Entry {
    var version: Int64
    var situation: Situation
  }

  private struct State {
    var instances: [Int64: Entry] = [:]
    /// The row of the instance of each run that is in `instances`; a run never changes its instance.
    var instanceOfRun: [Run.ID: Int64] = [:]
    /// How often everything was dropped.
    var generation = 0
  }

  private static let capacity = 4096
  private let state = Mutex(State())

  /// A run with its situation; `nil` where they are not known.
  func located(_ run: Run.ID) -> Located? {
    let entry: Entry? = state.withLock { state in
      state.instanceOfRun[run].flatMap { state.instances[$0] }
    }
    guard let entry, let found = entry.situation.runs[run] else { return nil }
    return Located(run: found, situation: entry.situation, version: entry.version)
  }

  /// To be asked for before the database is read or written, and passed on with what came of it.
  var generation: Int { state.withLock(\.generation) }

  /// What a decision left, after its commit, or what was read.
  ///
  /// - Parameter generation: the one from before. If everything was dropped since, something newer may have been too.
  func remember(_ loaded: LoadedSituation, since generation: Int) {
    let (number, version) = (loaded.instanceRow.number, loaded.instanceRow.version)
    state.withLock { state in
      guard generation == state.generation else { return }
      var situation = loaded.situation
      if let known = state.instances[number] {
        if known.version > version { return }
        if known.version == version {
          let runs = situation.runs.merging(known.situation.runs) { mine, _ in mine }
          situation = Situation(instance: situation.instance, runs: runs)
        }
      } else if state.instances.count >= Self.capacity || state.instanceOfRun.count >= 4 * Self.capacity {
        // Starting anew is rare and cheap; keeping count of who was used last is neither.
        state = State(generation: state.generation + 1)
        return
      }
      state.instances[number] = Entry(version: version, situation: situation)
      for run in situation.runs.keys { state.instanceOfRun[run] = number }
    }
  }
}

import PorcCore
import PorcStore

/// How many jobs are done at once: so many of each of three classes.
///
/// A job keeps its lane while its calls wait for TFE's budget. With lanes of their own, an apply never waits for the lane
/// of a plan, nor a plan for that of a poll, however many of them wait; and the budget lets the apply's call go first.
struct JobLanes: Sendable {
  /// What people decided; what leads to a plan; what reads or tidies up. Each of kinds that are neighbours by priority.
  private static let classes: [[RunJob.Kind]] = [
    [.cancel, .confirm, .discard, .override], [.build, .clearPlan, .startPlan], [.follow, .removeInstance],
  ]

  private let lanes: Int
  private var busy = Self.classes.map { _ in 0 }

  /// - Parameter lanes: how many each class has.
  init(_ lanes: Int) {
    self.lanes = lanes
  }

  /// What may be begun now, decisions first.
  var shares: [JobShare] {
    // An instance whose job is claimed gives the one that comes first, which may be of another class: one too many then.
    zip(Self.classes, busy).compactMap { kinds, busy in
      busy < lanes ? JobShare(of: kinds, limit: lanes - busy) : nil
    }
  }

  mutating func begin(_ kind: RunJob.Kind) { busy[Self.number(of: kind)] += 1 }
  mutating func end(_ kind: RunJob.Kind) { busy[Self.number(of: kind)] -= 1 }

  private static func number(of kind: RunJob.Kind) -> Int {
    classes.firstIndex { $0.contains(kind) } ?? classes.count - 1
  }
}

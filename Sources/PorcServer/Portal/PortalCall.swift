import PorcCore
import PorcStore

/// What is done in one call of the portal, or begins with one.
enum PortalCall: Sendable, Equatable {
  /// Created or changed together.
  case upsert([PortalDifference])
  /// Changed alone, since values are taken away as well, which only a change of one entity can.
  case patch(PortalDifference, clearing: [String])
  case remove([PortalDifference])

  /// As many as Port takes in a bulk call.
  static let bulk = 20
  /// As many as Port takes in a bulk deletion.
  static let bulkRemoval = 100

  var differences: [PortalDifference] {
    switch self {
    case .upsert(let differences), .remove(let differences): differences
    case .patch(let difference, _): [difference]
    }
  }

  /// The calls that write `differences`, each in one of them: few, in the order given.
  ///
  /// What a press of a button in the portal caused goes alone: a call names one action run.
  ///
  /// - Parameters:
  ///   - isPlain: whether the portal speaks the plain dialect: no bulk, and null clears in every write.
  ///   - isSuspect: whether an entity may break a call: it must not take others with it.
  static func writes(
    _ differences: [PortalDifference], isPlain: Bool, isSuspect: (PortalDifference) -> Bool
  ) -> [PortalCall] {
    var calls: [PortalCall] = []
    var together: [PortalDifference] = []
    for difference in differences {
      let cleared =
        difference.acknowledged == nil ? [] : difference.desired?.cleared(since: difference.acknowledged) ?? []
      if !cleared.isEmpty, !isPlain {
        calls.append(.patch(difference, clearing: cleared))
      } else if isPlain || difference.actionRun != nil || isSuspect(difference) {
        calls.append(.upsert([difference]))
      } else {
        together.append(difference)
        if together.count == bulk {
          calls.append(.upsert(together))
          together = []
        }
      }
    }
    return together.isEmpty ? calls : calls + [.upsert(together)]
  }

  /// The calls that remove `differences`, but none that is written meanwhile: it was not wanted any more only after those
  /// were read, and goes when they have arrived.
  static func removals(
    _ differences: [PortalDifference], besides writes: [PortalCall], isSuspect: (PortalDifference) -> Bool
  ) -> [PortalCall] {
    let written = Set(writes.flatMap(\.differences).map(\.identifier))
    let differences = differences.filter { !written.contains($0.identifier) }
    let again = differences.filter(isSuspect).map { PortalCall.remove([$0]) }
    let first = differences.filter { !isSuspect($0) }
    return first.isEmpty ? again : again + [.remove(first)]
  }
}

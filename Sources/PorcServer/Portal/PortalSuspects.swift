import PorcCore
import PorcStore
import PortPortal

/// Names an entity of the portal.
struct PortalKey: Hashable, Sendable {
  let kind: PortalEntity.Kind
  let identifier: String

  init(_ difference: PortalDifference) {
    kind = difference.kind
    identifier = difference.identifier
  }
}

/// An entity that the portal did not take, and why.
struct PortalFailure: Sendable {
  var difference: PortalDifference
  let error: PortError
  /// Whether it waits for what it relates to.
  let isWaiting: Bool

  /// Whether the reason cannot lie in the entity, which only had bad luck.
  var isNeverOwn: Bool { error.kind == .rateLimited || error.kind == .unauthorized }

  init(_ difference: PortalDifference, _ error: PortError) {
    self.difference = difference
    self.error = error
    isWaiting = error.kind == .notFound && difference.desired?.relations.isEmpty == false
  }
}

/// Entities whose calls failed as if the portal were away. It may be, or it does not answer to one of them alone, such as a
/// gateway that cuts off what takes too long: that shows when it takes others and not these.
struct PortalSuspects: Sendable {
  /// Those that failed since the portal is away and are not tried again before others were.
  private(set) var tried: Set<PortalKey> = []
  /// Whether more than one failed since the portal is away, or one again with nothing else to try.
  private(set) var areMany = false
  /// All that failed since the portal is away.
  private var failures: [PortalKey: PortalFailure] = [:]
  /// How often the portal was back without them.
  private var returns: [PortalKey: Int] = [:]
  private var released: [PortalFailure] = []
  /// Known ones that failed since the portal has answered.
  private var inARow: Set<PortalKey> = []

  /// So often an entity may share the fate of a portal that comes and goes.
  private static let benefit = 3
  /// So many at most are left out of the search for one that gets through.
  private static let width = 1000

  func isKnown(_ key: PortalKey) -> Bool { returns[key] ?? 0 >= Self.benefit }

  /// Whether only known ones failed, so few that it says nothing of the portal.
  mutating func areKnown(_ failures: [PortalFailure]) -> Bool {
    let keys = failures.map { PortalKey($0.difference) }
    guard keys.allSatisfy(isKnown), !failures.contains(where: \.isNeverOwn) else { return false }
    inARow.formUnion(keys)
    return inARow.count <= Self.benefit
  }

  mutating func note(_ failures: [PortalFailure]) {
    for var failure in failures {
      let key = PortalKey(failure.difference)
      // There may be many.
      (failure.difference.desired, failure.difference.acknowledged) = (nil, nil)
      tried.insert(key)
      if failure.isNeverOwn { areMany = true } else { self.failures[key] = failure }
    }
    areMany = areMany || self.failures.count > 1
    if tried.count > Self.width { tried = [] }
  }

  mutating func tryAgain() {
    areMany = areMany || !tried.isEmpty
    tried = []
  }

  /// The portal took it.
  mutating func acquit(_ key: PortalKey) {
    failures[key] = nil
    returns[key] = nil
  }

  /// The portal has answered.
  mutating func release() {
    for (key, failure) in failures {
      returns[key, default: 0] += 1
      if isKnown(key) { released.append(failure) }
    }
    (failures, tried, inARow, areMany) = ([:], [], [], false)
  }

  mutating func takeReleased() -> [PortalFailure] {
    defer { released = [] }
    return released
  }
}

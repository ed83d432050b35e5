import Synchronization

/// Decides by seed which faults the n-th of something meets: the n-th that a rule is about always draws the same lot.
final class FaultDealer<Kind: FaultKind>: Sendable {
  /// A fault, and how long it takes.
  struct Fault: Sendable {
    let kind: Kind
    let duration: Duration
    /// Which of its rule's it met, from 1.
    let number: Int
  }

  private struct Count {
    var seen = 0
    var dealt = 0
  }

  private let rules: [FaultPlan.Rule<Kind>]
  private let seed: UInt64
  private let counts: Mutex<[Count]>

  init(_ rules: [FaultPlan.Rule<Kind>], seed: UInt64) {
    self.rules = rules
    self.seed = seed
    counts = Mutex(Array(repeating: Count(), count: rules.count))
  }

  /// What the next of those that `isMeant` says a rule is about meets; of several rules the first that deals. Every rule
  /// counts on, so that none changes the lots of another.
  func next(where isMeant: (FaultPlan.Rule<Kind>) -> Bool = { _ in true }) -> Fault? {
    counts.withLock { counts in
      var fault: Fault?
      for (index, rule) in rules.enumerated() where isMeant(rule) {
        counts[index].seen += 1
        let number = counts[index].seen
        var lots = SeededLots(seed: seed, stream: UInt64(index), number: UInt64(number))
        let (chance, share) = (lots.next(), lots.next())
        guard fault == nil, chance < rule.rate, counts[index].dealt < rule.times ?? .max else { continue }
        counts[index].dealt += 1
        let seconds = rule.seconds.lowerBound + share * (rule.seconds.upperBound - rule.seconds.lowerBound)
        fault = Fault(kind: rule.kind, duration: .seconds(seconds), number: number)
      }
      return fault
    }
  }
}

/// Numbers from 0 up to 1 that follow from a seed, a stream and a place in it alone (SplitMix64).
private struct SeededLots {
  private var state: UInt64

  init(seed: UInt64, stream: UInt64, number: UInt64) {
    state = Self.mixed(Self.mixed(Self.mixed(seed) &+ stream) &+ number)
  }

  mutating func next() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Double(Self.mixed(state) >> 11) / Double(1 << 53 as UInt64)
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var bits = value &+ 0x9E37_79B9_7F4A_7C15
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }
}

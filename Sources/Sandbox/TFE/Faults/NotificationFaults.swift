/// Deals to notifications what a fault plan has for them.
struct NotificationFaults: Sendable {
  /// What happens to one notification that is about to be sent.
  enum Fate: Sendable, Hashable {
    case sent, lost
    case late(Duration)
    case doubled
    /// Sent after the next one to the same receiver, or after this time if none comes.
    case reordered(within: Duration)
  }

  private let dealer: FaultDealer<NotificationFaultKind>

  init(_ plan: FaultPlan) { dealer = FaultDealer(plan.notifications, seed: plan.seed) }

  /// What happens to the next one.
  func next() -> Fate {
    guard let fault = dealer.next() else { return .sent }
    return switch fault.kind {
    case .lost: .lost
    case .late: .late(fault.duration)
    case .doubled: .doubled
    case .reordered: .reordered(within: fault.duration)
    }
  }
}

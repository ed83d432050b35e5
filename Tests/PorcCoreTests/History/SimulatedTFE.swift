import TestKit

/// One workspace of a TFE, as far as runs go: a queue of which the first run that is not final is the current one.
struct SimulatedTFE {
  enum Status: String {
    case pending, planning, policyOverride, planned, confirmed, applying
    case plannedAndFinished, applied, errored, discarded, canceled

    var isFinal: Bool {
      switch self {
      case .plannedAndFinished, .applied, .errored, .discarded, .canceled: true
      case .pending, .planning, .policyOverride, .planned, .confirmed, .applying: false
      }
    }
  }

  struct TFERun {
    let id: String
    let message: String
    let appliesAutomatically: Bool
    var status = Status.pending
    /// Whether terraform had begun to apply.
    var began = false
    /// Whether it was a policy that ended it.
    var isPolicyFailure = false
    /// Whether it was told to end, and takes its time.
    var isCanceling = false
    /// Whether somebody confirmed it here, not by PORC's word.
    var wasConfirmedHere = false
  }

  /// In the order of their creation.
  private(set) var runs: [TFERun] = []
  /// The messages of what was applied, in order.
  private(set) var applied: [String] = []

  var live: [TFERun] { runs.filter { !$0.status.isFinal } }
  var current: TFERun? { live.first }

  func run(_ id: String) -> TFERun? { runs.first { $0.id == id } }
  func run(message: String) -> TFERun? { runs.last { $0.message == message } }

  mutating func create(_ message: String, appliesAutomatically: Bool) -> TFERun {
    let run = TFERun(id: "run-\(runs.count + 1)", message: message, appliesAutomatically: appliesAutomatically)
    runs.append(run)
    return run
  }

  /// The current run goes one step on, if it does not wait for a person.
  mutating func step(using random: inout SplitMix) {
    guard let id = current?.id else { return }
    let dice = Int.random(in: 0..<10, using: &random)
    change(id) { run in
      switch run.status {
      case .pending: run.status = .planning
      case .planning:
        switch dice {
        case 0: run.status = .errored
        case 1:
          run.status = .errored
          run.isPolicyFailure = true
        case 2, 3: run.status = .policyOverride
        case 4, 5: run.status = .plannedAndFinished
        default: run.status = run.appliesAutomatically ? .confirmed : .planned
        }
      case .confirmed:
        run.status = .applying
        run.began = true
      case .applying where run.isCanceling && dice > 2: break
      case .applying: run.status = dice < 2 ? .errored : .applied
      default: break
      }
    }
    if let run = run(id), run.status == .applied { applied.append(run.message) }
  }

  // MARK: The actions of its API; those that the status forbids change nothing

  mutating func confirm(_ id: String, here: Bool = false) {
    change(id) {
      guard $0.status == .planned else { return }
      $0.status = .confirmed
      $0.wasConfirmedHere = here
    }
  }

  mutating func override(_ id: String) {
    change(id) { if $0.status == .policyOverride { $0.status = $0.appliesAutomatically ? .confirmed : .planned } }
  }

  mutating func discard(_ id: String) {
    change(id) { if [.pending, .policyOverride, .planned].contains($0.status) { $0.status = .discarded } }
  }

  mutating func cancel(_ id: String) {
    change(id) { if [.pending, .planning, .confirmed, .applying].contains($0.status) { $0.status = .canceled } }
  }

  mutating func cancelSlowly(_ id: String) {
    change(id) { $0.isCanceling = $0.status == .applying }
  }

  mutating func kill(_ id: String) {
    change(id) { if $0.isCanceling, $0.status == .applying { $0.status = .canceled } }
  }

  private mutating func change(_ id: String, _ change: (inout TFERun) -> Void) {
    guard let index = runs.firstIndex(where: { $0.id == id }) else { return }
    change(&runs[index])
  }
}

import PortPortal

/// How an action that is in Port becomes what PORC needs, without touching what others made of it. Pure.
///
/// PORC's are what the action is about, when it is shown, and what it calls. Title, icon, description, inputs, the
/// buttons' words, and who has to approve in Port are whoever's changed them.
struct ActionChange: Equatable {
  /// The action as it should be.
  let merged: Portal.Action
  /// What becomes other, in words.
  private(set) var differences: [String] = []
  /// Why it is none of PORC's; `nil` where it is.
  private(set) var conflict: String?

  /// What a person may have changed of a trigger.
  private static let theirs = ["userInputs", "actionCardButtonText", "executeActionButtonText"]

  /// What goes without saying of an invocation: Port may leave it out.
  private static let usual: [String: JSON] = ["method": "POST", "agent": false, "synchronized": false]

  init(from existing: Portal.Action, to wanted: Portal.Action) {
    guard existing.trigger["type"] == wanted.trigger["type"],
      existing.trigger["blueprintIdentifier"] == wanted.trigger["blueprintIdentifier"],
      existing.invocationMethod["type"] == wanted.invocationMethod["type"]
    else {
      merged = existing
      conflict = "It is another kind of action, or on another blueprint."
      return
    }
    for (key, value) in Self.sorted(wanted.trigger) where !Self.theirs.contains(key) && existing.trigger[key] != value {
      differences.append(key == "condition" ? "when it is shown" : key)
    }
    for (key, value) in Self.sorted(wanted.invocationMethod)
    where (existing.invocationMethod[key] ?? Self.usual[key]) != value {
      let url = existing.invocationMethod["url"]?.string ?? "nothing"
      differences.append(key == "url" ? "what it calls (\(url) before)" : key)
    }
    var action = existing
    var trigger = wanted.trigger.object ?? [:]
    for key in Self.theirs { trigger[key] = existing.trigger[key] ?? trigger[key] }
    action.trigger = .object(trigger)
    action.invocationMethod = wanted.invocationMethod
    merged = action
  }

  private static func sorted(_ value: JSON) -> [(key: String, value: JSON)] {
    (value.object ?? [:]).sorted { $0.key < $1.key }
  }
}

import PorcCore
import PortPortal

/// A button that Port shows on an instance.
enum PortButton: String, CaseIterable, Sendable {
  case plan, apply, approve, discard, cancel, destroy
  case confirmDestroy = "confirm_destroy"
}

/// The buttons as actions in Port: each calls PORC, with the token that lies in Port's secrets.
struct PortActions {
  let names: PortNames
  /// Where Port reaches PORC, without a slash at its end.
  let publicURL: String
  /// Whether Port's own agent, inside of the network, calls PORC in Port's place.
  let usesAgent: Bool

  var all: [Portal.Action] { PortButton.allCases.map(action) }

  func action(_ button: PortButton) -> Portal.Action {
    Portal.Action(
      identifier: names.action(button), title: button.title, icon: button.icon, description: button.explanation,
      trigger: [
        "type": "self-service", "operation": "DAY-2", "blueprintIdentifier": .string(names.instanceBlueprint),
        "userInputs": ["properties": [:], "required": [], "order": []], "condition": button.condition,
      ],
      invocationMethod: [
        "type": "WEBHOOK", "url": .string(publicURL + button.path), "method": "POST", "agent": .bool(usesAgent),
        // PORC answers at once that it has begun, and reports how it goes on to the action's run.
        "synchronized": false,
        "headers": ["Authorization": .string("Bearer \(token)"), "Content-Type": "application/json"],
        "body": .object(button.body),
      ])
  }

  /// A name that is no plain word would be read as a difference of two.
  private var token: String {
    names.secretName.contains("-") || names.secretName.first?.isNumber == true
      ? "{{ .secrets[\"\(names.secretName)\"] }}" : "{{ .secrets.\(names.secretName) }}"
  }
}

extension PortNames {
  /// The identifier of a button's action.
  func action(_ button: PortButton) -> String { actionPrefix + button.rawValue }
}

extension PortButton {
  var title: String {
    switch self {
    case .plan: "Re-run plan"
    case .apply: "Apply now"
    case .approve: "Approve"
    case .discard: "Discard"
    case .cancel: "Cancel"
    case .destroy: "Destroy"
    case .confirmDestroy: "Confirm destroy"
    }
  }

  fileprivate var icon: String {
    switch self {
    case .plan: "Terraform"
    case .apply: "Deployment"
    case .approve: "TwoUsers"
    case .discard, .cancel: "BlankPage"
    case .destroy, .confirmDestroy: "Alert"
    }
  }

  fileprivate var explanation: String {
    switch self {
    case .plan: "Plans the current run again, with what it was submitted with. Nothing is changed yet."
    case .apply: "Applies the plan that is shown, and no other."
    case .approve: "Approves the plan that is shown, so that it can be applied."
    case .discard: "Gives the plan that is shown up. What is deployed stays as it is."
    case .cancel: "Stops the current run. What an apply has changed so far stays."
    case .destroy: "Plans the removal of what is deployed. Nothing is removed before that plan is confirmed."
    case .confirmDestroy: "Removes what is deployed, as the plan that is shown says."
    }
  }

  /// What PORC is asked to do, as its path and its API name it.
  var verb: String {
    switch self {
    case .confirmDestroy: "apply"
    default: rawValue
    }
  }

  /// The property of the entity that says what the button is about. Where a plan was looked at, that very plan is named,
  /// by Terraform Enterprise's id; an instance names itself.
  private var subject: (member: String, value: String) {
    switch self {
    case .apply, .approve, .discard, .confirmDestroy: ("run_id", "{{ .entity.properties.run_id }}")
    case .plan, .cancel: ("porc_run_id", "{{ .entity.properties.porc_run_id }}")
    case .destroy: ("instance", "{{ .entity.identifier }}")
    }
  }

  fileprivate var path: String {
    "/\(self == .destroy ? "instances" : "runs")/\(subject.value)/\(verb)"
  }

  /// It repeats what the URL says, since Port's signature covers the body alone.
  fileprivate var body: [String: JSON] {
    var body: [String: JSON] = [
      "action": .string(verb), subject.member: .string(subject.value),
      // The entity's properties can be edited in Port; on which entity the button was pressed cannot.
      "port_context": [
        "runId": "{{ .run.id }}", "entity": "{{ .entity.identifier }}", "actor": "{{ .trigger.by.user.email }}",
      ],
    ]
    // So that "Apply now" never confirms a destroy, whatever has become of the run since the button was drawn.
    if let operation { body["operation"] = .string(operation.rawValue) }
    return body
  }

  private var operation: PorcCore.Run.Operation? {
    switch self {
    case .apply: .apply
    case .confirmDestroy: .destroy
    default: nil
    }
  }
}

// MARK: When a button is shown

extension PortButton {
  /// Hides the button on an instance where PORC would refuse it, or where it would do nothing, as far as the entity shows
  /// it. It does not show:
  ///
  /// - who presses: a submitter's own approval, or a missing scope, is refused all the same;
  /// - that something was asked for a moment ago and is on its way (a cancel, a plan that waits for the build, a discard):
  ///   asking again does nothing, or is refused;
  /// - that a plan has become too old to be applied (`porc.maximum_plan_age_seconds`), which no event tells;
  /// - that a run under way has begun to be applied in Terraform Enterprise's own pages: until PORC has heard of it.
  var condition: JSON {
    var rules: [JSON] = []
    switch self {
    case .plan:
      // A new plan takes the place of one that awaits a decision; what is being planned or applied is not planned again.
      rules = [Self.status(among: RunState.allCases.filter { $0 != .planning && $0 != .applying })]
    case .apply:
      rules = [Self.equals("awaits", DecisionNeeded.apply.rawValue)]
    case .approve:
      rules = [Self.equals("awaits", DecisionNeeded.approval.rawValue)]
    case .discard:
      rules = [Self.among("awaits", DecisionNeeded.allCases.map(\.rawValue))]
    case .cancel:
      rules = [Self.status(among: [.submitted, .building, .built, .planning, .applying])]
    case .destroy:
      // PORC would also take it while a run plans or applies, and let it wait; but it is no time to press it. Where nothing
      // was ever deployed, nothing is there to destroy: only an apply that failed half-way may have left something.
      rules = [
        Self.status(among: RunState.allCases.filter { $0.isFinal || $0 == .submitted || $0 == .built }),
        Self.any([Self.isThere("deployed_run_id"), Self.equals("terraform_status", RunState.applyFailed.rawValue)]),
      ]
    case .confirmDestroy:
      rules = [Self.equals("awaits", DecisionNeeded.apply.rawValue)]
    }
    if let operation { rules.append(Self.equals("operation", operation.rawValue)) }
    // A destroy where nothing was ever applied needs no run in Terraform Enterprise, and the button could name none. Nor
    // could it on an entity that is somebody's own.
    if self != .destroy { rules.append(Self.isThere(subject.member)) }
    return ["type": "SEARCH", "combinator": "and", "rules": .array(rules)]
  }

  private static func status(among states: [RunState]) -> JSON {
    among("terraform_status", states.map(\.rawValue))
  }

  private static func equals(_ property: String, _ value: String) -> JSON {
    ["property": .string(property), "operator": "=", "value": .string(value)]
  }

  private static func among(_ property: String, _ values: [String]) -> JSON {
    ["property": .string(property), "operator": "in", "value": .array(values.map(JSON.string))]
  }

  private static func isThere(_ property: String) -> JSON {
    ["property": .string(property), "operator": "isNotEmpty"]
  }

  private static func any(_ rules: [JSON]) -> JSON { ["combinator": "or", "rules": .array(rules)] }
}

/// What of a plan may be seen without the right to its secrets.
enum PlanRedaction {
  /// The document that the CLI draws a remote plan from: the plan's changes without sensitive values, and the schemas
  /// of the providers.
  ///
  /// - Parameters:
  ///   - plan: `terraform show -json PLAN`.
  ///   - schemas: `terraform providers schema -json`.
  static func envelope(plan: JSONValue, schemas: JSONValue) -> JSONValue {
    func resources(_ name: String) -> JSONValue {
      .array((plan[name].array ?? []).map { resource in redactChange(of: resource) })
    }
    return [
      "plan_format_version": plan["format_version"],
      "resource_changes": resources("resource_changes"),
      "resource_drift": resources("resource_drift"),
      "output_changes": .object((plan["output_changes"].object ?? [:]).mapValues { redact(change: $0) }),
      "relevant_attributes": plan["relevant_attributes"],
      "deferred_changes": .array(
        (plan["deferred_changes"].array ?? []).map { deferred in
          var deferred = deferred
          deferred["resource_change"] = redactChange(of: deferred["resource_change"])
          return deferred
        }),
      "provider_format_version": schemas["format_version"],
      "provider_schemas": schemas["provider_schemas"].isNull ? [:] : schemas["provider_schemas"],
    ]
  }

  private static func redactChange(of resource: JSONValue) -> JSONValue {
    var resource = resource
    resource["change"] = redact(change: resource["change"])
    return resource
  }

  private static func redact(change: JSONValue) -> JSONValue {
    var change = change
    let (before, after) = (change["before"], change["after"])
    change["before"] = redact(before, change["before_sensitive"], other: after, isNew: false)
    change["after"] = redact(after, change["after_sensitive"], other: before, isNew: true)
    return change
  }

  /// - Parameters:
  ///   - mask: true where all of a value is sensitive; otherwise of the value's own shape, or false for nothing.
  ///   - other: the value on the other side of the change.
  ///   - isNew: whether `value` is the side after the change.
  static func redact(_ value: JSONValue, _ mask: JSONValue, other: JSONValue, isNew: Bool) -> JSONValue {
    switch (value, mask) {
    case (_, .bool(true)): return placeholder(value, differs: isNew && value != other)
    case (.object(let members), .object(let masks)):
      return .object(
        Dictionary(
          uniqueKeysWithValues: members.map { key, member in
            (key, redact(member, masks[key] ?? false, other: other[key], isNew: isNew))
          }))
    case (.array(let elements), .array(let masks)):
      return .array(
        elements.enumerated().map { index, element in
          redact(element, masks.indices.contains(index) ? masks[index] : false, other: other[index], isNew: isNew)
        })
    default: return value
    }
  }

  /// Stands for a sensitive value: of its type, since the CLI draws by the schema, and another one after a change than
  /// before it, so that the change still shows.
  private static func placeholder(_ value: JSONValue, differs: Bool) -> JSONValue {
    switch value {
    case .null: .null
    case .bool: .bool(differs)
    case .number: differs ? 1 : 0
    case .string: differs ? "(sensitive value, changed)" : "(sensitive value)"
    case .array: []
    case .object: [:]
    }
  }
}

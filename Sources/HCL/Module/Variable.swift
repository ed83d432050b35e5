/// A variable that a module declares.
public struct Variable: Hashable, Sendable {
  public let name: String
  /// `any` if none is declared, or one that cannot be read (then the module has a diagnostic).
  public let type: TypeConstraint
  /// The type as the source has it, with its comments and line breaks; empty if none is declared.
  public let typeText: String
  /// Nil if there is none, and if it is no constant.
  public let description: String?
  /// Nil if there is none: then a value must be given.
  public let `default`: Default?
  public let isSensitive: Bool
  /// Whether null is a value that the variable may have. Where it may not, null stands for the default.
  public let isNullable: Bool
  /// Whether the value is kept out of plan and state.
  public let isEphemeral: Bool
  /// Why not to use it any more, if the module says so (Terraform 1.15).
  public let deprecated: String?
  /// The validation blocks, in order.
  public let validations: [Validation]
  /// The file that declares it, not those that override it.
  public let file: String
  /// The block's header: from `variable` to the name.
  public let range: SourceRange

  public init(
    name: String, type: TypeConstraint = .any, typeText: String = "", description: String? = nil,
    default: Default? = nil, isSensitive: Bool = false, isNullable: Bool = true, isEphemeral: Bool = false,
    deprecated: String? = nil, validations: [Validation] = [], file: String = "variables.tf",
    range: SourceRange = SourceRange(start: .start, end: .start)
  ) {
    self.name = name
    self.type = type
    self.typeText = typeText
    self.description = description
    self.default = `default`
    self.isSensitive = isSensitive
    self.isNullable = isNullable
    self.isEphemeral = isEphemeral
    self.deprecated = deprecated
    self.validations = validations
    self.file = file
    self.range = range
  }

  /// A rule that a value must follow. Terraform evaluates it, we do not.
  public struct Validation: Hashable, Sendable {
    /// What Terraform says when the rule is broken; nil if it is no constant.
    public let errorMessage: String?
    /// The block's header.
    public let range: SourceRange

    public init(errorMessage: String?, range: SourceRange) {
      self.errorMessage = errorMessage
      self.range = range
    }
  }

  /// What a variable is when no value is given.
  public enum Default: Hashable, Sendable {
    /// A literal, as it is written: not yet converted to the variable's type.
    case known(Value)
    /// There is one, but it takes Terraform to find its value.
    case unknown

    public var value: Value? {
      if case .known(let value) = self { value } else { nil }
    }
  }

  /// Whether a value must be given: there is no `default`. One that is null counts as one.
  public var isRequired: Bool { `default` == nil }
}

extension Variable {
  /// Converts a value that is given for this variable, as Terraform does: to its type, and with its rule for null.
  ///
  /// `validation` blocks are not evaluated: they need all of Terraform's language.
  public func convert(_ value: Value) -> Conversion {
    guard value.isNull else { return type.convert(value) }
    switch (isNullable, `default`) {
    case (false, nil):
      return Conversion(value: nil, findings: [nullFinding(.error, "A required variable must not be null.")])
    case (false, .known(let value)): return type.convert(value)
    case (false, .unknown): return Conversion(value: .null, findings: [])
    case (true, nil), (true, .known(.null)): return Conversion(value: .null, findings: [])
    case (true, _):
      let message = "Null takes the place of the variable's default. Leave it out to get the default."
      return Conversion(value: .null, findings: [nullFinding(.warning, message)])
    }
  }

  private func nullFinding(_ severity: Severity, _ message: String) -> ValueFinding {
    ValueFinding(severity: severity, path: [], expected: type.description, found: Value.null.kind, message: message)
  }
}

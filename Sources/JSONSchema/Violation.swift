public import HCL

/// One way in which a value is not as its schema asks.
public struct Violation: Sendable, Hashable {
  /// Where in the value.
  public var path: [PathStep]
  /// The keyword of the schema that asks: `minimum`, `required`. `false` for a schema that is just that.
  public var keyword: String
  /// Where in the schema that keyword is: a JSON pointer, for another document behind its URI and `#`.
  public var schemaPointer: String
  /// What is expected there, to be read behind the name of the place: `must be at least 3`, or a sentence of its own about a
  /// part: `the property "siz" is not allowed here; did you mean "size"?`. Never shows the value, which may be a secret,
  /// only what kind it is and how long; it does show names of properties, and what the schema says.
  public var message: String

  public init(path: [PathStep], keyword: String, schemaPointer: String, message: String) {
    self.path = path
    self.keyword = keyword
    self.schemaPointer = schemaPointer
    self.message = message
  }
}

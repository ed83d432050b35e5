extension FaultPlan {
  /// All that is wrong with a file, each with its place and what to do.
  public struct Problems: Error, CustomStringConvertible {
    public let problems: [String]
    public var description: String { problems.joined(separator: "\n") }
  }

  /// Reads a file's text. A word that is not known is refused: a fault that is misspelt would never come.
  public init(parsing text: some Collection<UInt8>) throws(Problems) {
    let document: JSONValue
    do throws(JSONValue.SyntaxError) {
      document = try JSONValue(parsing: text)
    } catch {
      throw Problems(problems: ["The file is \(error). Write one JSON object."])
    }
    var reader = FaultReader()
    self = reader.plan(document)
    if !reader.problems.isEmpty { throw Problems(problems: reader.problems) }
  }
}

/// Reads a fault plan and collects what is wrong with it.
private struct FaultReader {
  var problems: [String] = []

  private mutating func complain(_ pointer: String, _ what: String, _ fix: String) {
    problems.append("\(pointer.isEmpty ? "/" : pointer): \(what) \(fix)")
  }

  mutating func plan(_ document: JSONValue) -> FaultPlan {
    members(of: document, at: "", ["seed", "limits", "requests", "notifications"])
    let seed = document["seed"].int.flatMap(UInt64.init(exactly:))
    if seed == nil {
      complain("/seed", "There is no seed.", "Give a whole number from 0 on: the same one deals the same faults again.")
    }
    return FaultPlan(
      seed: seed ?? 0, limits: limits(document["limits"]), requests: rules(document["requests"], at: "/requests"),
      notifications: rules(document["notifications"], at: "/notifications"))
  }

  private mutating func limits(_ value: JSONValue) -> FaultPlan.Limits? {
    if value.isNull { return nil }
    members(of: value, at: "/limits", ["requests_per_second", "run_lists_per_minute"])
    return .init(
      requestsPerSecond: limit(value, "requests_per_second"), runListsPerMinute: limit(value, "run_lists_per_minute"))
  }

  /// The published limit, 30, where the file names none; null takes it away.
  private mutating func limit(_ value: JSONValue, _ name: String) -> Int? {
    guard let member = value.object?[name] else { return 30 }
    if member.isNull { return nil }
    if let number = member.int, number >= 1 { return number }
    complain("/limits/\(name)", "This is no limit.", "Give a whole number from 1 on, or null for no limit.")
    return nil
  }

  private mutating func rules<Kind>(_ value: JSONValue, at pointer: String) -> [FaultPlan.Rule<Kind>] {
    if value.isNull { return [] }
    guard let elements = value.array else {
      complain(pointer, "This is no list.", "Write [{\"fault\": …, \"rate\": …}, …].")
      return []
    }
    return elements.enumerated().compactMap { index, element in rule(element, at: "\(pointer)/\(index)") }
  }

  private mutating func rule<Kind: FaultKind>(_ value: JSONValue, at pointer: String) -> FaultPlan.Rule<Kind>? {
    let isOfRequests = Kind.self == RequestFaultKind.self
    members(
      of: value, at: pointer, ["fault", "rate", "times", "seconds"] + (isOfRequests ? ["method", "path"] : []))
    let rate = value["rate"].double
    if !(rate.map { (0...1).contains($0) } ?? false) {
      complain("\(pointer)/rate", "This is no rate.", "Give a number from 0 (never) to 1 (always).")
    }
    let times = value["times"].int
    if !value["times"].isNull, times ?? 0 < 1 {
      complain("\(pointer)/times", "This is no number of times.", "Give a whole number from 1 on, or leave it out.")
    }
    let method = text(value, "method", at: pointer, "Give one such as \"POST\".")
    let path = text(value, "path", at: pointer, "Give one such as \"/api/v2/runs*\": '*' stands for any text.")
    guard let kind = value["fault"].string.flatMap(Kind.init(rawValue:)) else {
      let known = Kind.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
      complain("\(pointer)/fault", "No fault has this name.", "There are \(known).")
      return nil
    }
    return .init(
      kind: kind, rate: rate ?? 0, times: times, seconds: seconds(value["seconds"], of: kind, at: pointer),
      method: method?.uppercased(), path: path.map(Wildcard.init))
  }

  private mutating func seconds(
    _ value: JSONValue, of kind: some FaultKind, at pointer: String
  ) -> ClosedRange<Double> {
    guard let usual = kind.usualSeconds else {
      if !value.isNull {
        complain("\(pointer)/seconds", "'\(kind.rawValue)' takes no time.", "Leave 'seconds' out.")
      }
      return 0...0
    }
    if value.isNull { return usual }
    let bounds = value.array.map { $0.compactMap(\.double) } ?? [value.double, value.double].compactMap { $0 }
    guard bounds.count == 2, value.array?.count ?? 2 == 2, bounds.allSatisfy((0...3600).contains) else {
      complain(
        "\(pointer)/seconds", "These are no seconds.", "Give a number from 0 to 3600, or two, [FROM, TO].")
      return usual
    }
    guard bounds[0] <= bounds[1] else {
      complain("\(pointer)/seconds", "FROM is more than TO.", "Give the smaller number first: [FROM, TO].")
      return usual
    }
    return bounds[0]...bounds[1]
  }

  private mutating func text(_ value: JSONValue, _ name: String, at pointer: String, _ fix: String) -> String? {
    let member = value[name]
    if member.isNull { return nil }
    if let text = member.string, !text.isEmpty { return text }
    complain("\(pointer)/\(name)", "This is no text.", fix)
    return nil
  }

  private mutating func members(of value: JSONValue, at pointer: String, _ known: [String]) {
    guard let object = value.object else {
      complain(pointer, "This is no object.", "Write {…}.")
      return
    }
    for name in object.keys.sorted() where !known.contains(name) {
      complain(
        "\(pointer)/\(name)", "There is nothing of this name here.",
        "There are \(known.map { "'\($0)'" }.joined(separator: ", ")).")
    }
  }
}

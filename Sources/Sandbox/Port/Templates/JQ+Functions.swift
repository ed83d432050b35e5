import FoundationEssentials

extension JQ {
  /// The functions that are known, by their names in jq.
  enum Function: String, Sendable {
    case length, not, keys, tostring, tonumber, tojson, fromjson, type, add, first, last, reverse, sort, unique, empty
    case any, all
    case downcase = "ascii_downcase"
    case upcase = "ascii_upcase"
    case entries = "to_entries"
    case fromEntries = "from_entries"
    case uri = "@uri"
    case base64 = "@base64"
    case json = "@json"
    case textFormat = "@text"
    case map, select, has, startswith, endswith, ltrimstr, rtrimstr, split, join, contains
    case withEntries = "with_entries"

    /// How many arguments it takes.
    var arity: Int {
      switch self {
      case .map, .select, .has, .startswith, .endswith, .ltrimstr, .rtrimstr, .split, .join, .contains, .withEntries: 1
      default: 0
      }
    }

    func call(_ arguments: [JQ], _ input: JSONValue) throws(Failure) -> [JSONValue] {
      guard let argument = arguments.first else { return try plain(input) }
      switch self {
      case .map: return try JQ.list(.pipe(.each(.identity), argument)).values(input)
      case .select: return try argument.values(input).filter(JQ.isTrue).map { _ in input }
      case .withEntries:
        return try JQ.pipe(
          .call(.entries, []), .pipe(.call(.map, [argument]), .call(.fromEntries, []))
        ).values(input)
      default:
        var result: [JSONValue] = []
        for value in try argument.values(input) { result.append(try one(input, value)) }
        return result
      }
    }

    /// A function without arguments.
    private func plain(_ input: JSONValue) throws(Failure) -> [JSONValue] {
      switch self {
      case .empty: return []
      case .length: return [JSONValue(try length(input))]
      case .not: return [.bool(!JQ.isTrue(input))]
      case .type: return [.string(JQ.type(input))]
      case .tostring, .textFormat: return [.string(JQ.text(input))]
      case .tojson, .json: return [.string(input.text)]
      case .uri: return [.string(PercentCoding.encode(JQ.text(input)))]
      case .base64: return [.string(Data(JQ.text(input).utf8).base64EncodedString())]
      case .tonumber:
        if input.double != nil { return [input] }
        guard let text = input.string, Double(text) != nil, let number = try? JSONValue(parsing: text.utf8) else {
          throw refusal(input)
        }
        return [number]
      case .fromjson:
        guard let text = input.string, let value = try? JSONValue(parsing: text.utf8) else { throw refusal(input) }
        return [value]
      case .downcase, .upcase:
        guard let text = input.string else { throw refusal(input) }
        return [.string(self == .downcase ? text.lowercased() : text.uppercased())]
      case .keys:
        if let members = input.object { return [.array(members.keys.sorted().map { .string($0) })] }
        return [.array(try elements(input).indices.map { JSONValue($0) })]
      case .entries:
        guard let members = input.object else { throw refusal(input) }
        return [
          .array(members.sorted { $0.key < $1.key }.map { ["key": .string($0.key), "value": $0.value] })
        ]
      case .fromEntries:
        var members: [String: JSONValue] = [:]
        for entry in try elements(input) {
          let key = [entry["key"], entry["name"]].first { !$0.isNull } ?? .null
          members[JQ.text(key)] = entry["value"]
        }
        return [.object(members)]
      case .add:
        var total = JSONValue.null
        for element in try JQ.elements(of: input) { total = try JQ.sum(total, element) }
        return [total]
      case .first: return [try elements(input).first ?? .null]
      case .last: return [try elements(input).last ?? .null]
      case .reverse: return [.array(try elements(input).reversed())]
      case .sort: return [.array(try elements(input).sorted(by: JQ.isOrdered))]
      case .unique:
        var kept: [JSONValue] = []
        for element in try elements(input).sorted(by: JQ.isOrdered) where kept.last != element { kept.append(element) }
        return [.array(kept)]
      case .any: return [.bool(try elements(input).contains(where: JQ.isTrue))]
      case .all: return [.bool(try elements(input).allSatisfy(JQ.isTrue))]
      case .map, .select, .has, .startswith, .endswith, .ltrimstr, .rtrimstr, .split, .join, .contains, .withEntries:
        throw Failure(reason: "\(rawValue) without an argument")
      }
    }

    /// A function of one argument, for one value of it.
    private func one(_ input: JSONValue, _ argument: JSONValue) throws(Failure) -> JSONValue {
      switch (self, input, argument) {
      case (.has, .object(let members), .string(let name)): return .bool(members[name] != nil)
      case (.has, .array(let elements), .number): return .bool(elements.indices.contains(argument.int ?? -1))
      case (.startswith, .string(let text), .string(let other)): return .bool(text.hasPrefix(other))
      case (.endswith, .string(let text), .string(let other)): return .bool(text.hasSuffix(other))
      case (.ltrimstr, .string(let text), .string(let other)) where text.hasPrefix(other):
        return .string(String(text.dropFirst(other.count)))
      case (.rtrimstr, .string(let text), .string(let other)) where text.hasSuffix(other):
        return .string(String(text.dropLast(other.count)))
      case (.ltrimstr, _, _), (.rtrimstr, _, _): return input
      case (.split, .string(let text), .string(let separator)):
        if text.isEmpty { return [] }
        return .array(
          separator.isEmpty
            ? text.map { .string(String($0)) }
            : text.split(separator: separator, omittingEmptySubsequences: false)
              .map { .string(String($0)) })
      case (.join, .array(let elements), .string(let separator)):
        return .string(elements.map { $0.isNull ? "" : JQ.text($0) }.joined(separator: separator))
      case (.contains, _, _): return .bool(contains(input, argument))
      default: throw refusal(input)
      }
    }

    private func contains(_ value: JSONValue, _ part: JSONValue) -> Bool {
      switch (value, part) {
      case (.string(let text), .string(let other)): other.isEmpty || text.contains(other)
      case (.array(let all), .array(let some)): some.allSatisfy { part in all.contains { contains($0, part) } }
      case (.object(let all), .object(let some)):
        some.allSatisfy { name, part in all[name].map { contains($0, part) } ?? false }
      default: value == part
      }
    }

    private func length(_ input: JSONValue) throws(Failure) -> Int {
      switch input {
      case .null: return 0
      case .string(let text): return text.unicodeScalars.count
      case .array(let elements): return elements.count
      case .object(let members): return members.count
      default: throw refusal(input)
      }
    }

    private func elements(_ input: JSONValue) throws(Failure) -> [JSONValue] {
      guard let elements = input.array else { throw refusal(input) }
      return elements
    }

    private func refusal(_ input: JSONValue) -> Failure { Failure(reason: "\(JQ.type(input)) | \(rawValue)") }
  }
}

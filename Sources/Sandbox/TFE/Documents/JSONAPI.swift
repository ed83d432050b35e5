/// The shapes of JSON:API documents, as TFE makes them.
enum JSONAPI {
  static let mediaType = "application/vnd.api+json"

  static func resource(
    _ type: String, _ id: String, attributes: [String: JSONValue], relationships: [String: JSONValue] = [:],
    links: [String: JSONValue] = [:]
  ) -> JSONValue {
    var resource: JSONValue = ["id": .string(id), "type": .string(type), "attributes": .object(attributes)]
    if !relationships.isEmpty { resource["relationships"] = .object(relationships) }
    if !links.isEmpty { resource["links"] = .object(links) }
    return resource
  }

  /// A relationship to one object; to none where there is no id.
  static func one(_ type: String, _ id: String?) -> JSONValue {
    ["data": id.map { ["id": .string($0), "type": .string(type)] } ?? .null]
  }

  static func many(_ type: String, _ ids: [String]) -> JSONValue {
    ["data": .array(ids.map { ["id": .string($0), "type": .string(type)] })]
  }

  /// A document about one object, or a whole list.
  static func document(_ data: JSONValue, included: [JSONValue] = []) -> JSONValue {
    var document: JSONValue = ["data": data]
    if !included.isEmpty { document["included"] = .array(unique(included)) }
    return document
  }

  /// Each object once, however many lead to it.
  private static func unique(_ included: [JSONValue]) -> [JSONValue] {
    var seen: Set<String> = []
    return included.filter { seen.insert("\($0["type"].string ?? "") \($0["id"].string ?? "")").inserted }
  }
}

/// Which page of a list is asked for: `page[number]` from 1, `page[size]` 1 to 100, 20 when not given.
struct Page: Sendable {
  let number: Int
  let size: Int

  init(_ query: Query) {
    number = max(1, query["page[number]"].flatMap { Int($0) } ?? 1)
    size = min(100, max(1, query["page[size]"].flatMap { Int($0) } ?? 20))
  }

  func slice<Element>(_ all: [Element]) -> ArraySlice<Element> {
    // Dividing first keeps a huge page number from overflowing.
    guard number - 1 <= all.count / size else { return [] }
    return all.dropFirst((number - 1) * size).prefix(size)
  }

  /// The list with `meta.pagination` and `links`.
  ///
  /// - Parameter hasTotals: false for the organization's runs, which TFE does not count.
  func document(
    _ data: [JSONValue], of total: Int, included: [JSONValue], url: String, query: Query, hasTotals: Bool = true
  ) -> JSONValue {
    let pages = max(1, (total + size - 1) / size)
    var pagination: JSONValue = [
      "current-page": .init(number), "page-size": .init(size),
      "prev-page": number > 1 ? .init(number - 1) : .null, "next-page": number < pages ? .init(number + 1) : .null,
    ]
    func link(_ number: Int) -> JSONValue {
      let others = query.items.filter { $0.name != "page[number]" && $0.name != "page[size]" }
      let items = others + [("page[number]", String(number)), ("page[size]", String(size))]
      let text = items.map { "\(PercentCoding.encode($0.0))=\(PercentCoding.encode($0.1))" }.joined(separator: "&")
      return .string("\(url)?\(text)")
    }
    var links: JSONValue = [
      "self": link(number), "prev": number > 1 ? link(number - 1) : .null,
      "next": number < pages ? link(number + 1) : .null,
    ]
    if hasTotals {
      pagination["total-pages"] = .init(pages)
      pagination["total-count"] = .init(total)
      links["first"] = link(1)
      links["last"] = link(pages)
    }
    var document = JSONAPI.document(.array(data), included: included)
    document["links"] = links
    document["meta"] = ["pagination": pagination]
    return document
  }
}

/// What `include=` asks for. Dashes count as underscores: clients write both.
struct Includes: Sendable {
  private let names: Set<String>

  /// - Throws: 400 for a name that is not allowed.
  init(_ query: Query, allowed: Set<String>) throws {
    names = Set((query.list("include") ?? []).map { $0.replacing("-", with: "_") })
    guard names.isSubset(of: allowed) else {
      let unknown = names.subtracting(allowed).sorted().joined(separator: ", ")
      throw APIError.badRequest("Invalid include parameter", "\(unknown) is not a valid include")
    }
  }

  func contains(_ name: String) -> Bool { names.contains(name) }

  /// The includes of what is itself included: `run.created_by` is `created_by` below `run`. Asking for the inner one
  /// includes the outer one too.
  func below(_ name: String) -> Includes? {
    let prefix = name + "."
    let inner = names.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    return names.contains(name) || !inner.isEmpty ? Includes(Set(inner)) : nil
  }

  private init(_ names: Set<String>) { self.names = names }
}

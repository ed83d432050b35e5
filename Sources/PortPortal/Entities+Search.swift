/// Which entities of a blueprint to read, and what of them.
public struct EntityQuery: Sendable, Hashable {
  /// A tree of rules, `{"combinator": "and", "rules": [{"property": "$identifier", "operator": "=", "value": "a"}]}`;
  /// nil for all entities. A tree without `combinator` is a 422.
  public var rules: JSON?
  /// Only these properties, relations and meta-properties (`$updatedAt`); nil for all.
  public var include: [String]?
  public var exclude: [String]?
  /// Entities a page, 1 to 1,000.
  public var pageSize: Int

  public init(
    rules: JSON? = nil, include: [String]? = nil, exclude: [String]? = nil, pageSize: Int = 200
  ) {
    self.rules = rules
    self.include = include
    self.exclude = exclude
    self.pageSize = pageSize
  }

  /// Every entity.
  public static let all = EntityQuery()
}

extension Entities {
  /// The entities of a blueprint that a query finds, page by page as they are asked for.
  /// `POST /v1/blueprints/{blueprint}/entities/search`
  ///
  /// What was just written may be missing: Port promises no read-your-writes.
  public func search(in blueprint: String, _ query: EntityQuery = .all) -> EntitySearch {
    EntitySearch(entities: self, blueprint: blueprint, query: query)
  }
}

/// The entities that a search finds. Each iteration asks Port anew; an error ends it.
public struct EntitySearch: AsyncSequence, Sendable {
  public typealias Element = Entity

  let entities: Entities
  let blueprint: String
  let query: EntityQuery

  public func makeAsyncIterator() -> Iterator { Iterator(search: self) }

  /// All of them at once.
  ///
  /// - Parameter limit: how many the caller is ready to hold.
  /// - Throws: `PortError` (`tooLarge`) where there are more: a part must never pass for the whole.
  public func collect(atMost limit: Int) async throws -> [Entity] {
    var found: [Entity] = []
    for try await entity in self {
      guard found.count < limit else {
        throw PortError(.tooLarge, "The search finds more than \(limit) entities.", of: try request(from: nil))
      }
      found.append(entity)
    }
    return found
  }

  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let search: EntitySearch
    private var page: ArraySlice<Entity> = []
    private var cursor: String?
    private var isLast = false
    private var seen: Set<String> = []

    fileprivate init(search: EntitySearch) {
      self.search = search
    }

    public mutating func next() async throws -> Entity? {
      while page.isEmpty, !isLast {
        let request = try search.request(from: cursor)
        let answer = try await search.entities.session.send(request)
        let read = try answer.decode(Page.self)
        let next = read.next.flatMap { $0.isEmpty ? nil : $0 }
        if let next, !seen.insert(next).inserted { throw answer.unexpected("Port's search goes round in circles.") }
        page = read.entities[...]
        cursor = next
        isLast = next == nil
      }
      return page.popFirst()
    }
  }

  private struct Body: Encodable {
    let query: JSON?
    let include: [String]?
    let exclude: [String]?
    let limit: Int
    let from: String?
  }

  private struct Page: Decodable {
    let entities: [Entity]
    let next: String?
  }

  private func request(from cursor: String?) throws(PortError) -> Request {
    let limit = Swift.min(Swift.max(query.pageSize, 1), 1000)
    let body = Body(
      query: query.rules, include: query.include, exclude: query.exclude, limit: limit, from: cursor)
    return try Request(.post, entities.path(blueprint) + ["search"], json: body)
  }
}

/// A list that is read page by page while it is iterated.
///
/// Pages are counted by the server while the list may change: an element can be seen twice or missed. Iterating again
/// reads again.
public struct PagedList<Element: Sendable>: AsyncSequence, Sendable {
  struct Page: Sendable {
    var elements: [Element]
    /// The number of the next page, or `nil` after the last.
    var next: Int?
  }

  let read: @Sendable (_ page: Int) async throws -> Page

  public func makeAsyncIterator() -> Iterator { Iterator(read: read) }

  /// Goes through the elements of all pages.
  public struct Iterator: AsyncIteratorProtocol {
    let read: @Sendable (_ page: Int) async throws -> Page
    private var buffer: ArraySlice<Element> = []
    private var nextPage: Int? = 1

    init(read: @escaping @Sendable (_ page: Int) async throws -> Page) { self.read = read }

    public mutating func next() async throws -> Element? {
      while buffer.isEmpty {
        guard let number = nextPage else { return nil }
        let page = try await read(number)
        buffer = page.elements[...]
        // A server that names the same page again would have us read for ever.
        nextPage = page.next.flatMap { $0 > number ? $0 : nil }
      }
      return buffer.popFirst()
    }
  }

  /// All elements of all pages.
  public func collected() async throws -> [Element] {
    var all: [Element] = []
    for try await element in self { all.append(element) }
    return all
  }
}

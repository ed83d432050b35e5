import FoundationEssentials

/// Where an action's run is sent, and what: `{type: WEBHOOK, url, method?, headers?, body?, synchronized?, agent?}`, with
/// templates in all texts.
struct PortWebhook: Sendable {
  /// A request ready to be signed and sent.
  struct Delivery: Sendable {
    let url: String
    let method: String
    let headers: [(name: String, value: String)]
    /// Null for none.
    let body: JSONValue
    /// Whether it goes the way of Port's agent.
    let viaAgent: Bool
    /// Whether the answer is the run's end.
    let isSynchronized: Bool
  }

  /// Why an address came out wrong.
  struct BadAddress: Error { let reason: String }

  let document: JSONValue
  private let url: PortTemplate
  private let method: String
  private let headers: [(name: String, value: PortTemplate)]
  private let body: PortDocumentTemplate
  private let agent: PortDocumentTemplate
  private let synchronized: PortDocumentTemplate

  private static let methods = ["POST", "PUT", "PATCH", "DELETE", "GET"]

  init(_ document: JSONValue, at place: String) throws(PortFailure) {
    guard let type = document["type"].string else { throw .invalid("\(place) must have required property 'type'") }
    guard type == "WEBHOOK" else { throw .invalid("\(place)/type must be WEBHOOK: the sandbox has no other backends") }
    try document.checkMembers(["type", "url", "agent", "synchronized", "method", "headers", "body"], at: place)
    guard let url = document["url"].string, url.hasPrefix("{{") || Self.isAddress(url) else {
      throw .invalid("\(place)/url must begin with http://, https:// or {{")
    }
    let method = document["method"].isNull ? "POST" : document["method"].string ?? ""
    guard Self.methods.contains(method.uppercased()) else {
      throw .invalid(
        "\(place)/method must be equal to one of the allowed values: \(Self.methods.joined(separator: ", "))")
    }
    var headers: [(name: String, value: PortTemplate)] = []
    guard document["headers"].isNull || document["headers"].object != nil else {
      throw .invalid("\(place)/headers must be object")
    }
    for (name, value) in (document["headers"].object ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let text = value.string, Self.isHeader(name) else {
        throw .invalid("\(place)/headers/\(name) must be string")
      }
      headers.append((name, try PortTemplate(text, at: "\(place)/headers/\(name)")))
    }
    switch document["body"] {
    case .null, .object, .array: break
    default: throw .invalid("\(place)/body must be object or array")
    }
    for name in ["agent", "synchronized"] {
      switch document[name] {
      case .null, .bool, .string: break
      default: throw .invalid("\(place)/\(name) must be boolean or string")
      }
    }
    self.document = document
    self.url = try PortTemplate(url, at: "\(place)/url")
    self.method = method.uppercased()
    self.headers = headers
    body = try PortDocumentTemplate(document["body"], at: "\(place)/body")
    agent = try PortDocumentTemplate(document["agent"], at: "\(place)/agent")
    synchronized = try PortDocumentTemplate(document["synchronized"], at: "\(place)/synchronized")
  }

  /// What is sent in a context.
  func delivery(_ context: JSONValue) throws(BadAddress) -> Delivery {
    guard let url = url.address(context) else {
      throw BadAddress(reason: "The url \(document["url"].text) needs a value that is not there.")
    }
    guard Self.isAddress(url), URL(string: url)?.host()?.isEmpty == false else {
      throw BadAddress(reason: "The url became \"\(url)\", which is no address.")
    }
    var sent: [(name: String, value: String)] = []
    for (name, template) in headers {
      let value = template.value(context)
      // A line break would begin a header of its own.
      let text = JQ.text(value).filter { !$0.isNewline }
      if !value.isNull { sent.append((name, text)) }
    }
    return Delivery(
      url: url, method: method, headers: sent, body: body.value(context),
      viaAgent: Self.isOn(agent.value(context)), isSynchronized: Self.isOn(synchronized.value(context)))
  }

  private static func isOn(_ value: JSONValue) -> Bool { value == true || value == "true" }

  private static func isAddress(_ text: String) -> Bool {
    let text = text.lowercased()
    return text.hasPrefix("http://") || text.hasPrefix("https://")
  }

  private static func isHeader(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0) }
  }
}

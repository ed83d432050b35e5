import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// The page at the root: what the registry has, the buttons that apply, and the runs, for somebody on this machine.
///
/// It needs no token, so it looks at who asks. The browser's process must belong to the user who runs the sandbox (or to
/// root), which is seen from the kernel's list of connections: that leaves out other users and other machines. The name
/// that the browser used must be this machine's own, so that no foreign name can be pointed here. And what reads or presses
/// must carry a header that only a script of this very page can send, with no other origin beside it.
struct PortPage: RouterMiddleware {
  typealias Context = BasicRequestContext

  let routes: PortRoutes
  /// What versions of this process begin with, so that those of another are not taken for its own.
  private let process = PortIdentifier.random("")

  init(_ routes: PortRoutes) { self.routes = routes }

  /// `{action, entity, properties, user?}` is the largest that is sent.
  private static let maximumBody = 64 << 10

  func handle(
    _ request: Request, context: BasicRequestContext,
    next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    let path = request.uri.path
    guard path == "/" || path.hasPrefix("/page/") else { return try await next(request, context) }
    do {
      return hardened(try await response(to: request, path))
    } catch {
      let failure = PortFailure(RequestFailure(error))
      return hardened(.json(failure.json, status: failure.status))
    }
  }

  private func response(to request: Request, _ path: String) async throws -> Response {
    guard isNameOfThisMachine(request.head.authority) else {
      throw PortFailure(
        status: .misdirectedRequest, error: "wrong_host", message: "The page is at 127.0.0.1 or localhost only")
    }
    switch (request.method, path) {
    case (.get, "/"), (.head, "/"):
      guard LocalPeer.isOwn else { return refusal }
      return file(PackageResources.page_html, "text/html; charset=utf-8")
    case (.get, "/page/style.css"): return file(PackageResources.style_css, "text/css; charset=utf-8")
    case (.get, "/page/script.js"): return file(PackageResources.script_js, "text/javascript; charset=utf-8")
    default: break
    }
    try checkSender(request)
    let parts = path.split(separator: "/").dropFirst().map { PercentCoding.decode($0) }
    switch (request.method, parts.first, parts.count) {
    case (.get, "state", 1): return state(request)
    case (.post, "runs", 1): return try await press(request)
    case (.post, "runs", 3) where parts[2] == "approval": return try await decide(parts[1], request)
    default: throw PortFailure(status: .notFound, error: "not_found", message: "This route does not exist")
    }
  }

  // MARK: Who may

  /// `localhost`, `127.x.x.x` or `[::1]`, on any port.
  private func isNameOfThisMachine(_ authority: String?) -> Bool {
    guard let authority else { return false }
    let name = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
    let numbers = name.split(separator: ".", omittingEmptySubsequences: false)
    return name == "localhost" || name == "[::1]"
      || (numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil })
  }

  private func checkSender(_ request: Request) throws(PortFailure) {
    let headers = request.headers
    let origin = headers[.origin]
    let site = headers[.secFetchSite]
    guard headers[.pageMarker] == "1", origin == nil || origin == request.origin,
      site == nil || site == "same-origin"
    else {
      throw PortFailure(status: .forbidden, error: "forbidden", message: "Only this server's own page may ask for that")
    }
    guard LocalPeer.isOwn else {
      throw PortFailure(
        status: .forbidden, error: "forbidden",
        message: "The page is for the user who runs this server, on this machine")
    }
  }

  private var refusal: Response {
    var response = Response(status: .forbidden, headers: [.contentType: "text/plain; charset=utf-8"])
    response.body = .init(
      byteBuffer: ByteBuffer(
        string: """
          This page is for the user who runs this server, in a browser on this machine.
          Open it there, or forward the port by ssh as that user.

          """))
    return response
  }

  /// Nothing from elsewhere in the page, the page nowhere else, and no copy of it anywhere.
  private func hardened(_ response: Response) -> Response {
    var response = response
    let fields = [
      "Content-Security-Policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
    ]
    for (name, value) in fields {
      if let name = HTTPField.Name(name) { response.headers[name] = value }
    }
    return response
  }

  private func file(_ bytes: [UInt8], _ type: String) -> Response {
    Response(status: .ok, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  // MARK: What is shown and pressed

  /// Everything that the page shows; 304 where nothing has changed since the `If-None-Match` of the asker.
  private func state(_ request: Request) -> Response {
    let query = request.query["q"] ?? ""
    let asked = request.headers[.ifNoneMatch]
    let now = routes.now()
    let (version, state) = routes.store.read { registry -> (String, JSONValue?) in
      let version = "\"\(process)-\(registry.version)-\(PercentCoding.encode(query))\""
      return (version, version == asked ? Optional.none : registry.pageState(matching: query, now: now))
    }
    guard let state else { return Response(status: .notModified, headers: [.eTag: version]) }
    return .json(state, headers: [.eTag: version])
  }

  /// `{action, entity?, properties?, user?}` → `{ok, run}`
  private func press(_ request: Request) async throws -> Response {
    let body = try await body(request)
    let email = body["user"].string ?? "developer@\(PortSandbox.userDomain)"
    guard PropertyCheck.problem(.string(email), ["format": "email"]) == nil else {
      throw PortFailure.invalid("'\(email)' is no e-mail address")
    }
    var run: JSONValue = ["properties": body["properties"].isNull ? [:] : body["properties"]]
    if !body["entity"].isNull { run["entity"] = body["entity"] }
    let made = try await routes.start(
      body["action"].string ?? "", run, by: PortCaller(userID: email, email: email, source: "UI"), stamp(email))
    return .json(["ok": true, "run": made.json], status: .accepted)
  }

  /// `{status: APPROVE | DECLINE, user?}` → `{ok, run}`
  private func decide(_ id: String, _ request: Request) async throws -> Response {
    let body = try await body(request)
    let run = try await routes.decide(
      id, ["status": body["status"]], stamp(body["user"].string ?? "developer@\(PortSandbox.userDomain)"))
    return .json(["ok": true, "run": run.json], status: .created)
  }

  private func body(_ request: Request) async throws -> JSONValue {
    guard request.headers[.contentType] == "application/json" else {
      throw PortFailure(status: .unsupportedMediaType, error: "bad_request", message: "The body must be JSON")
    }
    return try await request.json(upTo: Self.maximumBody)
  }

  private func stamp(_ author: String) -> PortStamp {
    PortStamp(time: routes.now().rfc3339, author: author, datasource: "port-page")
  }
}

extension HTTPField.Name {
  // Each is a token by RFC 9110, section 5.6.2.
  fileprivate static let secFetchSite = Self("Sec-Fetch-Site")!
  /// What a script of the page sends with all it asks for.
  fileprivate static let pageMarker = Self("x-port-page")!
}

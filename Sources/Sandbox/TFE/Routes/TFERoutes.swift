import HTTPTypes
import Hummingbird

/// One request to the API.
struct Call: Sendable {
  let request: Request
  let context: BasicRequestContext
  let query: Query

  init(_ request: Request, _ context: BasicRequestContext) {
    (self.request, self.context, query) = (request, context, request.query)
  }

  var id: String { context.path("id") }
  var organization: String { context.path("organization") }
  var origin: String { request.origin }
  /// The request's own address without its query: what the links of a list begin with.
  var url: String { origin + request.uri.path }

  func json() async throws -> JSONValue { try await request.json() }
}

/// What is answered: a status and, where there is one, a document.
struct Answer: Sendable {
  let status: HTTPResponse.Status
  var document: JSONValue?

  static func ok(_ document: JSONValue) -> Answer { Answer(status: .ok, document: document) }
  static func created(_ document: JSONValue) -> Answer { Answer(status: .created, document: document) }
  static let noContent = Answer(status: .noContent)
  static let accepted = Answer(status: .accepted)

  var response: Response {
    guard let document else { return Response(status: status) }
    return .json(document, status: status, contentType: JSONAPI.mediaType)
  }
}

/// The API's routes. What a request changed is on the disk before it is answered.
struct TFERoutes: Sendable {
  let state: TFEState
  let plans: PlanDocuments
  let sender: NotificationSender
  let token: String
  let requests: RequestLog

  func router(door: RequestDoor) -> Router<BasicRequestContext> {
    let router = Router(context: BasicRequestContext.self)
    router.add(middleware: ProductHeaders())
    router.add(middleware: door)
    addDiscovery(to: router)
    addObjects(to: router)
    let guarded = router.group().add(middleware: BearerToken(token: token))
    guarded.get("/_sandbox/requests") { request, _ in requests.response(to: request) }
    let api = API(state: state, group: guarded.group("/api/v2"))
    addOrganization(to: api)
    addWorkspaces(to: api)
    addWorkspaceParts(to: api)
    addRuns(to: api)
    addPlans(to: api)
    addStates(to: api)
    addNotifications(to: api)
    addChecks(to: api)
    addRegistry(to: api)
    addModuleProtocol(to: guarded.group(RouterPath(Self.modulesPath)))
    return router
  }

  /// Registers handlers.
  struct API {
    let state: TFEState
    let group: RouterGroup<BasicRequestContext>

    func on(
      _ method: HTTPRequest.Method, _ path: RouterPath, _ handler: @escaping @Sendable (Call) async throws -> Answer
    ) {
      let state = state
      group.on(path, method: method) { request, context in
        let answer = try await handler(Call(request, context))
        if method != .get { try await state.settle() }
        return answer.response
      }
    }
  }

  private func addDiscovery(to router: Router<BasicRequestContext>) {
    router.get("/.well-known/terraform.json") { _, _ in
      Response.json([
        "tfe.v2": "/api/v2/", "tfe.v2.1": "/api/v2/", "tfe.v2.2": "/api/v2/", "state.v2": "/api/v2/",
        "modules.v1": "\(Self.modulesPath)/",
      ])
    }
    router.get("/api/v2/ping") { _, _ in Response(status: .noContent) }
  }
}

/// What clients decide by: the API's level, whether the product can show structured plans, and how many calls a second
/// they may make. None are refused but by a fault, which has its own number; this is the highest that clients may be
/// expected to take seriously.
struct ProductHeaders: RouterMiddleware {
  typealias Context = BasicRequestContext

  private static let headers = [
    ("TFP-API-Version", "2.6"), ("TFP-AppName", "Terraform Enterprise"), ("X-TFE-Version", "v202506-1"),
    ("X-RateLimit-Limit", "1000"),
  ].compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }

  func handle(
    _ request: Request, context: BasicRequestContext,
    next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    for (name, value) in Self.headers where response.headers[name] == nil { response.headers[name] = value }
    return response
  }
}

/// Lets only those pass who know the token.
struct BearerToken: RouterMiddleware {
  typealias Context = BasicRequestContext

  let token: String

  func handle(
    _ request: Request, context: BasicRequestContext,
    next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    let words = (request.headers[.authorization] ?? "").split(separator: " ", maxSplits: 1)
    guard words.count == 2, words[0].lowercased() == "bearer", SecretText.equal(String(words[1]), token) else {
      throw APIError.unauthorized
    }
    return try await next(request, context)
  }
}

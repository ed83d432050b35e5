import HTTPTypes
import Hummingbird
import PorcCore
import PorcStore
import Synchronization

/// Collects the routes of all features: who may call each, and which there are, so that the OpenAPI document can be held
/// against them and a wrong method can be answered with the right ones.
struct Routes {
  typealias Handler = @Sendable (Request, PorcContext) async throws -> Response

  /// One route as it was registered.
  struct Entry: Hashable {
    var method: HTTPRequest.Method
    /// With parameters in braces, as OpenAPI writes them.
    var path: String
    /// `nil`: anyone may call it.
    var scope: Scope?
  }

  let router: Router<PorcContext>
  let table: RouteTable

  var entries: [Entry] { table.entries }

  init(router: Router<PorcContext>, table: RouteTable) {
    self.router = router
    self.table = table
  }

  func get(_ path: String, needs scope: Scope?, _ handler: @escaping Handler) {
    on(.get, path, needs: scope, handler)
  }

  func post(_ path: String, needs scope: Scope?, _ handler: @escaping Handler) {
    on(.post, path, needs: scope, handler)
  }

  func delete(_ path: String, needs scope: Scope?, _ handler: @escaping Handler) {
    on(.delete, path, needs: scope, handler)
  }

  /// A write that a button of the portal may ask for too. Who asks, `buttons` finds out.
  func write(
    _ path: String, needs scope: Scope, by buttons: Buttons,
    _ work: @escaping @Sendable (WriteRequest, PorcContext) async throws -> Response
  ) {
    let verb = path.split(separator: "/").last.map(String.init) ?? ""
    on(.post, path, needs: scope, isChecked: false) { request, context in
      try await buttons.answer(request, context, verb, try context.subject, needs: scope) {
        try await work($0, context)
      }
    }
  }

  /// `/run/…` and `/runs/…` are the same routes, for all of them.
  private func on(
    _ method: HTTPRequest.Method, _ path: String, needs scope: Scope?, isChecked: Bool = true,
    _ handler: @escaping Handler
  ) {
    var paths = [path]
    if path.hasPrefix("/runs/") { paths.append("/run/" + path.dropFirst("/runs/".count)) }
    for path in paths {
      table.add(Entry(method: method, path: path, scope: scope))
      router.on(RouterPath(path), method: method) { request, context in
        if let scope, isChecked { try context.require(scope) }
        return try await handler(request, context)
      }
    }
  }
}

/// The routes there are.
final class RouteTable: Sendable {
  private let state = Mutex<[Routes.Entry]>([])

  var entries: [Routes.Entry] { state.withLock { $0 } }

  func add(_ entry: Routes.Entry) { state.withLock { $0.append(entry) } }

  /// The methods that a path takes; none if there is no such path. What takes GET takes HEAD (RFC 9110, section 9.1).
  func methods(of path: String) -> [HTTPRequest.Method] {
    let parts = path.split(separator: "/")
    return entries.filter { entry in
      let pattern = entry.path.split(separator: "/")
      return pattern.count == parts.count && zip(pattern, parts).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
    }.flatMap { $0.method == .get ? [.get, .head] : [$0.method] }
  }
}

extension PorcContext {
  /// - Throws: a fault if nobody is signed in, or the token lacks the scope.
  func require(_ scope: Scope) throws {
    guard let token else {
      throw Fault(
        .notSignedIn, "This needs a token.", fix: "Send 'Authorization: Bearer …' with a token of this PORC.")
    }
    guard scope.isGranted(by: Set(token.scopes)) else {
      throw Fault(
        .forbidden, "The token '\(token.name)' lacks the scope '\(scope.rawValue)'.",
        fix: "Use a token that has it: porc token create NAME --scope \(scope.rawValue).")
    }
  }

  /// The run or the instance that the path is about.
  var subject: PressBody.Subject {
    get throws {
      if let instance = parameters.get("instance_id") { return .instance(instance) }
      return .run(try runID)
    }
  }

  /// Who asks.
  var caller: Caller { Caller(id: token?.id ?? "", name: token?.name ?? "") }
}

import Archive
import Hummingbird

/// What `ObjectLinks` points at: no token is asked for, the address is the right.
extension TFERoutes {
  /// The largest archive and the largest state taken, in bytes.
  static let maximumUpload = 128 << 20

  func addObjects(to router: Router<BasicRequestContext>) {
    let (state, plans) = (state, plans)
    func on(
      _ method: HTTPRequest.Method, _ kind: ObjectLinks.Kind,
      _ handler: @escaping @Sendable (Call) async throws -> Response
    ) {
      router.on("\(kind.path):id/:expiry/:signature", method: method) { request, context in
        let call = Call(request, context)
        guard
          state.links.isValid(
            kind, call.id, expiry: context.path("expiry"), signature: context.path("signature"))
        else { throw APIError.notFound }
        return try await handler(call)
      }
    }
    on(.put, .uploadConfiguration) { call in
      guard try await state.configurationVersion(call.id).status == .pending else {
        throw APIError.conflict("The configuration was uploaded already")
      }
      let bytes = try await Self.upload(call)
      var problem: String?
      do throws(ArchiveError) {
        _ = try TarGzip.unpack(bytes)
      } catch {
        problem = error.description
      }
      if problem == nil { try DurableFile.write(bytes, to: state.folder.archive(call.id)) }
      try await state.configurationUploaded(call.id, problem: problem)
      try await state.settle()
      return Response(status: .ok)
    }
    on(.put, .uploadState) { call in
      try await state.storeState(call.id, Self.upload(call))
      try await state.settle()
      return Response(status: .ok)
    }
    on(.put, .uploadStateJSON) { call in
      try await state.storeStateJSON(call.id, Self.upload(call))
      try await state.settle()
      return Response(status: .ok)
    }
    on(.get, .configuration) { call in try Self.file(state.folder.archive(call.id), "application/octet-stream") }
    on(.get, .state) { call in try Self.file(state.folder.state(call.id), "application/json") }
    on(.get, .stateJSON) { call in try Self.file(state.folder.stateJSON(call.id), "application/json") }
    on(.get, .planLog) { call in try Self.log(state.folder.run(call.id).planLog, call.query) }
    on(.get, .applyLog) { call in try Self.log(state.folder.run(call.id).applyLog, call.query) }
    on(.put, .uploadModule) { call in try await uploadModule(call) }
    // Terraform's downloader asks for the head first.
    on(.head, .module) { call in
      try Self.file(state.folder.module(call.id), "application/x-gzip").createHeadResponse()
    }
    on(.get, .module) { call in try Self.file(state.folder.module(call.id), "application/x-gzip") }
    on(.get, .planJSON) { call in .bytes(try await plans.json(of: call.id), "application/json") }
  }

  static func upload(_ call: Call) async throws -> [UInt8] {
    let buffer = try await call.request.body.collect(upTo: maximumUpload)
    return Array(buffer.readableBytesView)
  }

  private static func file(_ path: String, _ contentType: String) throws -> Response {
    guard let bytes = try DurableFile.read(path) else { throw APIError.notFound }
    return .bytes(bytes, contentType)
  }

  /// A slice of a log; empty past its end, and before it begins.
  private static func log(_ path: String, _ query: Query) throws -> Response {
    let offset = max(0, query["offset"].flatMap { Int($0) } ?? 0)
    let limit = max(0, query["limit"].flatMap { Int($0) } ?? .max)
    return .bytes(try DurableFile.read(path, from: offset, upTo: limit) ?? [], "text/plain; charset=utf-8")
  }
}

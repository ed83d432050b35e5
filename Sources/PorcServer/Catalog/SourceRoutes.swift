import Foundation
import HCL
import HTTPTypes
import Hummingbird
import PorcCore
import PorcStore

/// Where templates come from: what is there, what is added and removed, and syncing now.
struct SourceRoutes: Sendable {
  let store: any Store
  let sync: CatalogSync
  let watch: CatalogWatch
  let factory: SourceFactory
  let vault: InputVault

  func register(in routes: Routes) {
    routes.get("/templates/sources", needs: .catalog) { _, _ in
      try .json(SourceList(sources: try await sync.report()))
    }
    routes.post("/templates/sources", needs: .catalog, add)
    routes.delete("/templates/sources/{source_name}", needs: .catalog, remove)
    routes.post("/templates/sync", needs: .catalog, syncNow)
  }

  /// Adds a source and syncs it; the answer tells how that went, unless `wait=false` asks for no more than the adding.
  @Sendable private func add(_ request: Request, _ context: PorcContext) async throws -> Response {
    try request.allowQuery("wait")
    let waits = try waits(request)
    let description = try await description(in: request)
    let source = description.source
    try factory.check(description)
    guard !factory.isConfigured(source.name) else { throw Self.isConfigured(source.name) }
    let secret = try secret(of: description)
    // Of those who add the same at once one is the first, and the others find it there.
    while try await !isThere(source, secret) {
      let sealed = try secret.map { try vault.sealSecret($0, of: Self.owner(source.name)) }
      if try await store.addSource(source, secret: sealed) { break }
    }
    while true {
      if waits { try await sync.sync(only: [source.name]) } else { watch.look(at: [source.name]) }
      guard let body = try await sync.report().first(where: { $0.source.name == source.name }) else {
        throw Self.unknown(source.name)
      }
      // Others may have removed and added it again meanwhile: then it is not read yet.
      let isRead = body.report.syncedAt != nil || body.report.error != nil
      if isRead || !waits { return try .json(body, status: .created) }
    }
  }

  @Sendable private func remove(_ request: Request, _ context: PorcContext) async throws -> Response {
    let encoded = try context.parameters.require("source_name")
    let name = encoded.removingPercentEncoding ?? encoded
    guard !factory.isConfigured(name) else { throw Self.isConfigured(name) }
    guard try await store.removeSource(name) else { throw Self.unknown(name) }
    try await sync.forget(name)
    // What it had others may have now.
    watch.look(at: try await sync.incomplete())
    return Response(status: .noContent)
  }

  @Sendable private func syncNow(_ request: Request, _ context: PorcContext) async throws -> Response {
    try request.allowQuery("source", "wait")
    let name = request.query("source")
    if let name, try await !sync.configured().contains(where: { $0.source.name == name }) {
      throw Self.unknown(name)
    }
    let waits = try waits(request)
    if waits {
      try await sync.sync(only: name.map { [$0] })
    } else {
      watch.look(at: Set(try await sync.configured().map(\.source.name).filter { name == nil || $0 == name }))
    }
    let report = try await sync.report()
    return try .json(
      SourceList(sources: report.filter { name == nil || $0.source.name == name }), status: waits ? .ok : .accepted)
  }

  private func description(in request: Request) async throws -> SourceDescription {
    let bytes = try await request.bodyBytes()
    let document = try DocumentText.read(bytes, as: .either)
    let read = SourceDescription.read(document, by: .caller)
    guard let description = read.description else {
      throw Fault(
        .invalidInput, "The source cannot be read as it is described.", fix: "Mend each finding, and add it again.",
        findings: read.findings.map { finding in
          var finding = finding
          // Whoever sends it has made it of options, and knows no lines.
          (finding.line, finding.column) = (nil, nil)
          return finding
        })
    }
    return description
  }

  private func secret(of description: SourceDescription) throws -> Value? {
    guard let token = description.access.token else { return nil }
    var members: [String: Value] = ["token": .string(token)]
    members["username"] = description.access.username.map(Value.string)
    return .object(members)
  }

  /// Whether it was added before: the same once more is no other source.
  ///
  /// - Throws: a fault if there is another one of its name.
  private func isThere(_ source: TemplateSource, _ secret: Value?) async throws -> Bool {
    let known = try await store.sources().first { $0.name == source.name && $0.source != nil }
    guard let known else { return false }
    guard known.source == source, try isSame(known.secret, secret, of: source.name) else {
      throw Self.isTaken(source.name)
    }
    return true
  }

  private func isSame(_ sealed: Data?, _ secret: Value?, of name: String) throws -> Bool {
    guard let sealed else { return secret == nil }
    return (try? vault.openSecret(sealed, of: Self.owner(name))) == secret
  }

  private func waits(_ request: Request) throws -> Bool {
    switch request.query("wait") {
    case nil, "true": return true
    case "false": return false
    default: throw Fault(.malformedRequest, "'wait' is neither true nor false.", fix: "Use one of them.")
    }
  }

  private static func isTaken(_ name: String) -> Fault {
    Fault(
      .wrongState, "There is another source named '\(name)'.",
      fix: "Choose another name, or remove that one first: porc catalog remove \(name).")
  }

  static func owner(_ name: String) -> String { "source \(name)" }

  private static func isConfigured(_ name: String) -> Fault {
    Fault(
      .wrongState, "The source '\(name)' is in PORC's configuration, which cannot be changed from here.",
      fix: "Change the configuration, and start PORC again.")
  }

  private static func unknown(_ name: String) -> Fault {
    Fault(.notFound, "There is no source '\(name)'.", fix: "List them: porc catalog list.")
  }
}

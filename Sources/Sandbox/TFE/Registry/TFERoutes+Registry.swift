import Archive
import HTTPTypes
import Hummingbird

extension TFERoutes {
  static let modulesPath = "/api/registry/v1/modules"

  /// What managers of modules call.
  func addRegistry(to api: API) {
    let state = state
    let list: RouterPath = "/organizations/:organization/registry-modules"
    api.on(.get, list) { call in
      .ok(try await state.moduleList(organization: call.organization, query: call.query, url: call.url))
    }
    api.on(.post, list) { call in
      .created(try await state.createModule(organization: call.organization, call.json()))
    }
    api.on(.post, list.appendingPath("/vcs")) { call in
      try await state.checkOrganization(call.organization)
      throw APIError.unprocessable(
        "/data/attributes/vcs-repo", "Modules cannot be published from a repository here: upload them")
    }
    let name = list.appendingPath("/:registry/:namespace/:name")
    let module = name.appendingPath("/:provider")
    api.on(.get, module) { call in .ok(try await state.moduleDocument(call.module)) }
    api.on(.post, module.appendingPath("/versions")) { call in
      .created(try await state.createModuleVersion(call.module, call.json(), origin: call.origin))
    }
    for path in [name, module, module.appendingPath("/:version")] {
      api.on(.delete, path) { call in
        try await state.deleteModules(call.module, version: call.part("version"))
        return .noContent
      }
    }
  }

  /// What `terraform init` calls.
  func addModuleProtocol(to group: RouterGroup<BasicRequestContext>) {
    let state = state
    let list: @Sendable (Request, BasicRequestContext) async throws -> Response = { request, context in
      let call = Call(request, context)
      return .json(
        try await state.publishedModules(
          namespace: call.part("namespace"), words: [], provider: call.query["provider"], query: call.query))
    }
    group.get("", use: list)
    group.get("/:namespace", use: list)
    group.get("/search") { request, context -> Response in
      let call = Call(request, context)
      let words = (call.query["q"] ?? "").lowercased().split(separator: " ")
      return .json(
        try await state.publishedModules(
          namespace: call.query["namespace"], words: words, provider: call.query["provider"], query: call.query))
    }
    let module: RouterPath = "/:namespace/:name/:provider"
    group.get(module.appendingPath("/versions")) { request, context -> Response in
      .json(try await state.publishedVersions(Call(request, context).publishedModule))
    }
    for path in [module, module.appendingPath("/:version")] {
      group.get(path) { request, context -> Response in
        let call = Call(request, context)
        return .json(try await state.publishedModule(call.publishedModule, version: call.part("version")))
      }
      group.get(path.appendingPath("/download")) { request, context -> Response in
        let call = Call(request, context)
        let version = try await state.publishedVersion(call.publishedModule, version: call.part("version"))
        guard call.part("version") != nil else {
          let place = "\(TFERoutes.modulesPath)/\(call.publishedModule.path)/\(version.version.text)/download"
          return .redirect(to: place, type: .found)
        }
        // Relative: the client may know this server by another name. The archive's kind is not in its name.
        var response = Response(status: .noContent)
        response.headers[.terraformGet] =
          state.links.url(.module, version.id, origin: "") + "?archive=tar.gz"
        return response
      }
    }
  }

  /// Takes the archive of a module's version.
  func uploadModule(_ call: Call) async throws -> Response {
    guard try await state.moduleVersion(call.id).status != .ok else {
      throw APIError.conflict("The version was uploaded already")
    }
    let bytes = try await Self.upload(call)
    let problem = Self.problem(ofModule: bytes)
    if problem == nil { try DurableFile.write(bytes, to: state.folder.module(call.id)) }
    try await state.moduleUploaded(call.id, problem: problem)
    try await state.settle()
    return Response(status: .ok)
  }

  /// Why an archive is no module.
  private static func problem(ofModule bytes: [UInt8]) -> String? {
    do throws(ArchiveError) {
      let entries = try TarGzip.unpack(bytes)
      let isModule = entries.contains { entry in
        !entry.path.contains("/") && (entry.path.hasSuffix(".tf") || entry.path.hasSuffix(".tf.json"))
      }
      return isModule ? nil : "There is no .tf file in the root of the archive."
    } catch {
      return error.description
    }
  }
}

extension Call {
  /// A part of the path; nil where the route has none of this name.
  fileprivate func part(_ name: String) -> String? {
    context.parameters.get(name) == nil ? nil : context.path(name)
  }

  fileprivate var module: ModuleAddress {
    ModuleAddress(
      organization: organization, registry: context.path("registry"), namespace: context.path("namespace"),
      name: context.path("name"), provider: part("provider"))
  }

  fileprivate var publishedModule: ModuleAddress {
    ModuleAddress(
      organization: context.path("namespace"), registry: "private", namespace: context.path("namespace"),
      name: context.path("name"), provider: context.path("provider"))
  }
}

extension ModuleAddress {
  /// `NAMESPACE/NAME/PROVIDER`, as part of a path.
  fileprivate var path: String {
    [namespace, name, provider ?? ""].map { PercentCoding.encode($0) }.joined(separator: "/")
  }
}

extension HTTPField.Name {
  /// Where Terraform is to get a module from.
  // Cannot fail: it is a token in the sense of RFC 9110.
  fileprivate static let terraformGet = Self("X-Terraform-Get")!
}

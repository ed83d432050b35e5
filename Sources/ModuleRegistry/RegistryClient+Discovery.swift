import FoundationEssentials

extension RegistryClient {
  /// Where the host's registry is, `https://HOST/PATH/`, as its `/.well-known/terraform.json` says under `modules.v1`.
  ///
  /// Kept for ``Configuration/discoveryLifetime``; a failure is not kept. Terraform sends its token here too.
  public func serviceURL() async throws -> String { try await service().text }

  /// Callers that arrive before the first answer each ask for themselves; they learn the same.
  func service() async throws -> WebAddress {
    if let known = memory.service(at: configuration.now()) { return known }
    let host = configuration.host
    let absent = (
      message: "'\(host)' offers no module registry.",
      fix: "Check the host's name; for Terraform Enterprise it is the host of its web pages."
    )
    let question = Question(
      address: home("/.well-known/terraform.json"), headers: [("Accept", "application/json")], redirects: 1,
      limit: min(configuration.maximumAnswerBytes, 1 << 20), timeout: configuration.requestTimeout, notFound: absent)
    let answer = try await get(question)
    let place = question.place(answer.address)
    let services: Services
    do {
      services = try JSONDecoder().decode(Services.self, from: answer.data)
    } catch {
      throw RegistryError.badAnswer("'\(host)' does not describe its services in JSON.", place: place)
    }
    guard let modules = services.modules else {
      throw RegistryError(.notFound, status: answer.status, absent.message, place: place, fix: absent.fix)
    }
    guard var service = try? answer.address.resolving(modules), isAllowed(service) else {
      throw RegistryError.badAnswer(
        "'\(host)' says that its registry is at an address that is not https.", place: place)
    }
    service.query = nil
    if !service.path.hasSuffix("/") { service.path += "/" }
    memory.keep(service: service, until: configuration.now().addingTimeInterval(configuration.discoveryLifetime))
    return service
  }

  /// `{"modules.v1": "/api/registry/v1/modules/"}`
  private struct Services: Decodable {
    var modules: String?
    enum CodingKeys: String, CodingKey { case modules = "modules.v1" }
  }
}

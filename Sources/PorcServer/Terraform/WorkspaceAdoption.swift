import AsyncHTTPClient
import HTTPExchange
public import Logging
import PorcCore
import TerraformEnterprise

/// Takes an existing workspace over as the one of an instance: `porc instances adopt`. PORC never does that by itself, since
/// what the workspace manages is then PORC's to change and to destroy.
public struct WorkspaceAdoption: Sendable {
  /// What would be taken over.
  public struct Candidate: Sendable, Equatable {
    /// `ws-…`
    public var id: String
    public var name: String
    /// How many resources it manages, where TFE says.
    public var resources: Int?
    public var isLocked: Bool
    /// Whether it is this instance's already.
    public var isAdopted: Bool
  }

  private let settings: TFESettings
  private let logger: Logger

  public init(_ settings: TFESettings, logger: Logger) {
    self.settings = settings
    self.logger = logger
  }

  /// Looks at the workspace that has the instance's name, and with `confirmed` makes it the instance's.
  ///
  /// - Returns: what it was before.
  /// - Throws: a `Fault` if there is none, or it may not be taken.
  public func adopt(_ instance: String, confirmed: Bool) async throws -> Candidate {
    guard BlueprintMetadata.isInstanceName(instance) else {
      throw Fault(
        .invalidInput, "'\(instance.prefix(100))' is no name that an instance can have.",
        fix: "Use lower-case letters, digits and inner '-', at most \(Blueprint.maximumNameLength) characters.")
    }
    let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .plain)
    do {
      let candidate = try await adopt(Instance.ID(instance), confirmed, http)
      try await http.shutdown()
      return candidate
    } catch {
      try? await http.shutdown()  // the first error is the one that counts
      throw error
    }
  }

  private func adopt(_ instance: Instance.ID, _ confirmed: Bool, _ http: HTTPClient) async throws -> Candidate {
    let configuration = Client.Configuration(
      address: settings.address, token: BearerToken(settings.token), userAgent: "porc/\(PorcVersion.current)")
    let workspaces = Workspaces(
      client: Client(configuration, httpClient: http, logger: logger), settings: settings)
    do {
      let (found, isOurs) = try await workspaces.candidate(for: instance)
      if confirmed, !isOurs { try await workspaces.adopt(found.id, for: instance) }
      return Candidate(
        id: found.id, name: found.name, resources: found.resourceCount, isLocked: found.isLocked, isAdopted: isOurs)
    } catch let refusal as TFERefusal {
      throw Fault(.wrongState, "\(refusal.failure.summary).", fix: refusal.failure.detail ?? "")
    } catch let error as TFEError where error.kind == .notFound {
      let name = settings.workspaceName(of: instance)
      throw Fault(
        .notFound, "There is no workspace '\(name)' in the organization '\(settings.organization)'.",
        fix: "A workspace is taken over by the name that PORC would give it: rename it in Terraform Enterprise first.")
    } catch let error as TFEError {
      throw Fault(error)
    }
  }
}

import NIOCore

/// How far a configuration version has come.
public struct ConfigurationVersionStatus: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let pending: ConfigurationVersionStatus = "pending"
  public static let fetching: ConfigurationVersionStatus = "fetching"
  public static let uploaded: ConfigurationVersionStatus = "uploaded"
  public static let archived: ConfigurationVersionStatus = "archived"
  public static let errored: ConfigurationVersionStatus = "errored"
}

/// An uploaded Terraform configuration.
public struct ConfigurationVersion: Sendable, Hashable, Identifiable, Resource {
  /// `cv-…`
  public let id: String
  /// How far it has come; runs need `uploaded`.
  public let status: ConfigurationVersionStatus
  /// Where to upload the archive; only in the answer to the create call.
  public let uploadURL: SignedURL?
  /// Whether it can only ever be planned.
  public let isSpeculative: Bool
  /// Whether it becomes the workspace's current one only with an applied run.
  public let isProvisional: Bool
  /// Why it is `errored`.
  public let errorMessage: String?
  /// What made it, such as `tfe-api`.
  public let source: String?

  init(_ source: ResourceSource) throws {
    id = source.id
    status = try source.require("status")
    uploadURL = try source.optional("upload-url", as: String.self).map(SignedURL.init)
    isSpeculative = try source.flag("speculative")
    isProvisional = try source.flag("provisional")
    errorMessage = try source.optional("error-message")
    self.source = try source.optional("source")
  }
}

/// Calls of the Configuration Versions API.
public struct ConfigurationVersionsService: Sendable {
  let client: Client

  /// `POST /workspaces/ID/configuration-versions`.
  ///
  /// - Parameters:
  ///   - autoQueueRuns: whether a run starts by itself once the archive is processed. The vendor's default is true, but
  ///     a run of one's own making can be found again.
  ///   - isSpeculative: whether it can only ever be planned.
  ///   - isProvisional: whether it becomes the workspace's current one only with an applied run.
  public func create(
    workspace id: String, autoQueueRuns: Bool = false, isSpeculative: Bool = false, isProvisional: Bool = false
  ) async throws -> ConfigurationVersion {
    let document = RequestDocument(
      type: "configuration-versions",
      attributes: [
        "auto-queue-runs": .bool(autoQueueRuns), "speculative": .bool(isSpeculative),
        "provisional": .bool(isProvisional),
      ])
    return try await client.fetch(Call(.post, "workspaces", id, "configuration-versions").with(document))
  }

  /// `GET /configuration-versions/ID`.
  public func read(_ id: String) async throws -> ConfigurationVersion {
    try await client.fetch(Call(.get, "configuration-versions", id))
  }

  /// `PUT` to ``ConfigurationVersion/uploadURL``, without the token. The archive is processed after the answer: read the
  /// version until it is `uploaded`.
  ///
  /// - Parameter archive: a gzip-compressed tar whose root is the configuration's root.
  public func upload(_ archive: [UInt8], to url: SignedURL) async throws {
    var call = Call(.put, signed: url, name: "configuration version upload")
    call.isTransfer = true
    call.body = .init(contentType: "application/octet-stream", bytes: ByteBuffer(bytes: archive))
    _ = try await client.send(call)
  }
}

extension Client {
  /// Calls of the Configuration Versions API.
  public var configurationVersions: ConfigurationVersionsService { ConfigurationVersionsService(client: self) }
}

import AsyncHTTPClient
import Foundation
import HTTPExchange
public import Logging
import PorcCore
import PorcStore
import PortPortal
import Retry
import TerraformEnterprise

/// Tries everything a server needs, and says what is wrong and what to do.
public struct Doctor: Sendable {
  public struct Finding: Sendable {
    public var subject: String
    public var isGood: Bool
    public var text: String
  }

  let settings: ServerSettings
  let logger: Logger

  public init(_ settings: ServerSettings, logger: Logger) {
    self.settings = settings
    self.logger = logger
  }

  public func examine() async -> [Finding] {
    let doubts = settings.doubts.map { Finding(subject: "settings", isGood: false, text: $0) }
    let database = await database()
    return doubts + (await settings.looking { await Doctor($0, logger: logger).examine(database: database) })
  }

  private func examine(database: Finding) async -> [Finding] {
    let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .plain)
    var findings = [
      await finding("secret key") {
        _ = try InputVault(keyFile: settings.secretKeyFile)
        return settings.secretKeyFile
      },
      database,
      await finding("Terraform Enterprise") { try await terraformEnterprise(http) },
      await finding("notifications") { try await notifications() },
    ]
    findings += await port(PortTool(settings, logger: logger))
    findings += await sources(http)
    try? await http.shutdown()  // nothing is left to lose
    return findings
  }

  private func database() async -> Finding {
    await finding("database") {
      let path = settings.databasePath
      guard FileManager.default.fileExists(atPath: path) else {
        var folder = URL(filePath: path).standardizedFileURL
        repeat { folder.deleteLastPathComponent() } while !FileManager.default.fileExists(atPath: folder.path)
        if FileManager.default.isWritableFile(atPath: folder.path) {
          return "\(path) is not there yet; porc serve makes it"
        }
        throw Fault(
          .wrongState, "'\(path)' is not there, and cannot be made in '\(folder.path)'.",
          fix: "Name a file, in a folder, that PORC's user may write.")
      }
      let store = try SQLiteStore.open(path: path, exclusively: false)
      let position = try await store.lastPosition()
      try await store.close()
      return "\(path), \(position) events"
    }
  }

  /// Looks at each source that the configuration names, without taking anything from it.
  private func sources(_ http: HTTPClient) async -> [Finding] {
    guard let vault = try? InputVault(keyFile: settings.secretKeyFile) else { return [] }  // told already
    var catalog = settings.catalog
    // A server that runs has the copies of its repositories to itself.
    let scratch = FileManager.default.temporaryDirectory.appending(path: "porc-doctor-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: scratch) }
    catalog.cacheFolder = scratch.path
    let configuration = Client.Configuration(
      address: settings.tfe.address, token: BearerToken(settings.tfe.token), userAgent: "porc/\(PorcVersion.current)")
    let client = Client(configuration, httpClient: http, logger: logger)
    let factory = SourceFactory(catalog, vault: vault, http: http, tfe: (client, settings.tfe), logger: logger)
    var findings: [Finding] = []
    for entry in factory.sources([]) {
      findings.append(
        await finding("templates of \(entry.source.name)") {
          let view = try await factory.make(entry).look()
          guard case .folder = entry.source.place else { return "it can be read" }
          return "\(try await view.list().modules.count) modules"
        })
    }
    return findings
  }

  private func terraformEnterprise(_ http: HTTPClient) async throws -> String {
    var configuration = Client.Configuration(
      address: settings.tfe.address, token: BearerToken(settings.tfe.token), userAgent: "porc/\(PorcVersion.current)")
    configuration.retryPolicy = .never
    let client = Client(configuration, httpClient: http, logger: logger)
    let identity = try await client.discovery.ping()
    let entitlements = try await client.organizations.entitlements(of: settings.tfe.organization)
    guard entitlements.operations else {
      throw Fault(.upstreamFailed, "The organization '\(settings.tfe.organization)' may not run Terraform remotely.")
    }
    return [identity.applicationName, identity.release, "organization \(settings.tfe.organization)"]
      .compactMap { $0 }.joined(separator: ", ")
  }

  /// What the server has learned of them; nothing is tried.
  private func notifications() async throws -> String {
    guard let publicURL = settings.publicURL else {
      return "not asked for, so each run is polled; PORC_PUBLIC_URL would save most calls of Terraform Enterprise"
    }
    let vault = try InputVault(keyFile: settings.secretKeyFile)
    // Which port a server listens on is not known here.
    let base: String? = if case .named(let url) = publicURL { url + Notifications.path } else { nil }
    let store = try SQLiteStore.open(path: settings.databasePath, exclusively: false)
    let report: NotificationReport
    do {
      report = try await store.notificationReport(sentTo: base, keyID: vault.keyID)
      try await store.close()
    } catch {
      try? await store.close()  // the first error is the one that counts
      throw error
    }
    let heard = report.heardAt.map { "last heard \(Timestamp.text($0))" } ?? "nothing heard yet"
    if let problem = report.problem {
      let next = (report.failedAt ?? .distantPast).addingTimeInterval(Notifications.failureRest)
      let time = next > Date() ? "at \(Timestamp.text(next))" : "with its next look at the workspaces"
      throw Fault(
        .upstreamFailed,
        "Terraform Enterprise tells nothing about \(report.failing) of \(report.failing + report.working) workspaces "
          + "or projects, whose runs are polled; \(heard). The last reason: \(problem)",
        fix:
          "Terraform Enterprise must reach PORC_PUBLIC_URL, and the token's team be admin of the workspaces. A running "
          + "server tries again by itself \(time).")
    }
    let outdated =
      report.outdated == 0
      ? "" : ", \(report.outdated) for another URL or secret key (made anew with the next plan of each)"
    return "\(report.working) made in Terraform Enterprise\(outdated), \(heard)"
  }

  func finding(_ subject: String, _ look: () async throws -> String) async -> Finding {
    do {
      return Finding(subject: subject, isGood: true, text: try await look())
    } catch let error as PortError {
      let fix =
        error.kind == .unauthorized
        ? ". Check PORT_CLIENT_ID and PORT_CLIENT_SECRET, and whether PORT_BASE_URL is of their region." : ""
      return Finding(subject: subject, isGood: false, text: "\(error)\(fix)")
    } catch {
      let fault = Faults.fault(from: error)
      let text =
        fault.code == .bug ? "\(error)" : [fault.fullMessage, fault.fix].compactMap { $0 }.joined(separator: " ")
      return Finding(subject: subject, isGood: false, text: text)
    }
  }
}

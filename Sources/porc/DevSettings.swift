import Configuration
import Foundation
import HCL
import PorcCore
import PorcServer
import PorcStore
import PortPortal

/// The settings of the PORC in `porc dev`, in the form that `porc serve` takes: those of the user's own file, before them
/// what is so on this machine, behind them what suits it.
struct DevSettings: Sendable {
  let folder: DevFolder
  /// The user's file.
  let config: String?
  /// What the command line asks for, by the settings' keys.
  let asked: [String: Value]
  let webhookSecrets: [String]

  /// What PORC serves with. The tools beside it find the same in the folder.
  func settings(tfe tfeURL: String, port portURL: String) async throws -> ServerSettings {
    if !FileManager.default.fileExists(atPath: folder.keyFile) { try InputVault.makeKeyFile(at: folder.keyFile) }
    try write(tfe: tfeURL, port: portURL, porc: nil)
    // Positions in what is said of it are the user's own file's.
    var settings = try ServerSettings(
      ConfigReader(provider: try await SettingsOptions.provider(folder.settingsFile)),
      file: try config.map { try SettingsOptions.document($0).bytes })
    settings.catalog.allowsLocalPaths = true
    settings.catalog.webhookSecrets += webhookSecrets
    if settings.publicURL == nil { settings.publicURL = .listening }
    if settings.portal.dialect == .entities {
      settings.portal.setUpCredentials = .clientCredentials(
        id: DevFolder.clientID, secret: try SecretFile.read(folder.portSecretFile))
    }
    return settings
  }

  /// - Parameter porcURL: where PORC listens, once that is known.
  func write(tfe tfeURL: String, port portURL: String, porc porcURL: String?) throws {
    let fixed: [String: Value] = [
      "porc.database_url": .string("sqlite:" + folder.path("porc.sqlite")),
      "porc.secret_key_file": .string(folder.keyFile),
      "tfe.address": .string(tfeURL), "tfe.organization": .string(DevFolder.organization),
      "tfe.token": .string(try SecretFile.read(folder.tfeTokenFile)),
      "port.base_url": .string(portURL), "port.client_id": .string(DevFolder.clientID),
      "port.client_secret": .string(try SecretFile.read(folder.portSecretFile)),
      "port.api_token": .string(try SecretFile.read(folder.portTokenFile)),
    ]
    var suitable: [String: Value] = [
      "porc.cache_folder": .string(folder.path("cache")), "porc.catalog_interval_seconds": 2,
      "porc.follow_interval_seconds": 2, "port.setup": true,
    ]
    suitable["porc.public_url"] = porcURL.map(Value.string)
    var document = try config.map(Self.document) ?? [:]
    for (key, value) in suitable { Self.set(key, to: value, in: &document) { $0 == nil } }
    for (key, value) in asked.merging(fixed, uniquingKeysWith: { $1 }) {
      Self.set(key, to: value, in: &document) { _ in true }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try SecretFile.write(
      String(decoding: try encoder.encode(Value.object(document)), as: UTF8.self), to: folder.settingsFile)
  }

  /// Sets `section.name`, where it may.
  private static func set(
    _ key: String, to value: Value, in document: inout [String: Value], where mayReplace: (Value?) -> Bool
  ) {
    let parts = key.split(separator: ".", maxSplits: 1).map(String.init)
    var section = document[parts[0]]?.objectValue ?? [:]
    if mayReplace(section[parts[1]]) { section[parts[1]] = value }
    document[parts[0]] = .object(section)
  }

  private static func document(_ file: String) throws -> [String: Value] {
    if let document = try SettingsOptions.document(file).value.objectValue { return document }
    throw Fault(.invalidInput, "The settings' file '\(file)' is no mapping.")
  }
}

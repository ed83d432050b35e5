public import ArgumentParser
import Configuration
import Foundation
import HCL
public import Logging
import PorcCore
import PorcServer
import SystemPackage

/// Where the settings of a server are.
struct SettingsOptions: ParsableArguments {
  @Option(help: "A YAML file with settings; the environment goes before it.")
  var config: String?

  @Option(help: "trace, debug, info, notice, warning, error or critical. Servers begin with info, tools with warning.")
  var logLevel: Logger.Level?

  func settings() async throws -> ServerSettings {
    let reader = try await reader()
    return try ServerSettings(
      reader, file: try config.map { try Self.document($0).bytes },
      environment: ProcessInfo.processInfo.environment.keys)
  }

  func reader() async throws -> ConfigReader {
    let environment = EnvironmentVariablesProvider()
    guard let config else { return ConfigReader(provider: environment) }
    return ConfigReader(providers: [environment, try await Self.provider(config)])
  }

  /// Whether anything says what this PORC's own are. Variables of Terraform Enterprise alone do not: others use them too.
  func areGiven() async throws -> Bool {
    if config != nil { return true }
    let reader = try await reader()
    return [
      "port.base_url", "port.client_id", "port.client_secret", "port.api_token", "porc.secret_key_file",
      "porc.database_url",
    ].contains { reader.string(forKey: ConfigKey($0)) != nil }
  }

  static func provider(_ file: String) async throws -> FileProvider<YAMLSnapshot> {
    _ = try document(file)  // which says better what is wrong with it
    do {
      return try await FileProvider<YAMLSnapshot>(filePath: FilePath(file))
    } catch {
      throw Fault(
        .invalidInput, "The settings' file '\(file)' cannot be read.",
        fix: "Check the path and its rights, and that it is YAML.", cause: error)
    }
  }

  /// - Throws: a fault that says what is wrong with the file, and where.
  static func document(_ file: String) throws -> (bytes: [UInt8], value: Value) {
    do {
      let bytes = Array(try Data(contentsOf: URL(filePath: file)))
      return (bytes, try DocumentText.read(bytes, as: .yaml).value)
    } catch let error as DocumentProblems {
      let finding = error.findings.first
      let line = finding?.line.map { "line \($0): " } ?? ""
      throw Fault(
        .invalidInput, "The settings' file '\(file)' cannot be read: \(line)\(finding?.message ?? "it is no YAML.")",
        fix: "Mend it there, or leave --config out.")
    } catch {
      throw Fault(
        .invalidInput, "The settings' file '\(file)' cannot be read.", fix: "Check the path and its rights.",
        cause: error)
    }
  }
}

/// Where the settings of a server are that a tool works beside: those of `porc serve`, or those that `porc dev` left in its
/// folder.
struct ToolOptions: ParsableArguments {
  @Option(help: "The data folder of porc dev, to take its settings.")
  var data: String?
  @OptionGroup var server: SettingsOptions

  var logLevel: Logger.Level { server.logLevel ?? .warning }

  func settings() async throws -> ServerSettings {
    guard let file = try await devFile() else { return try await server.settings() }
    // Whatever the environment says is not about that one.
    let reader = ConfigReader(provider: try await SettingsOptions.provider(file))
    return try ServerSettings(reader, file: try SettingsOptions.document(file).bytes)
  }

  /// - Returns: `nil` where it is not about `porc dev`.
  private func devFile() async throws -> String? {
    if let data {
      let file = DevFolder.settingsFile(in: data)
      guard FileManager.default.fileExists(atPath: file) else {
        throw Fault(
          .notFound, "No porc dev has kept its data in '\(data)'.", fix: "Name its folder, or leave --data out.")
      }
      return file
    }
    guard try await !server.areGiven() else { return nil }
    let file = DevFolder.settingsFile(in: DevFolder.usual)
    return FileManager.default.fileExists(atPath: file) ? file : nil
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

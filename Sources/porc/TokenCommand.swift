public import ArgumentParser
import Configuration
import Foundation
public import PorcCore
import PorcServer
import PorcStore

struct TokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Makes, lists and revokes access tokens.",
    discussion: "For example: porc token create ci --scope submit --scope plan",
    subcommands: [Create.self, List.self, Revoke.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes a token and prints its secret, once.",
      discussion: "For example: porc token create ci --scope submit --scope plan --scope apply")

    @Argument(help: "What to call it.") var name: String
    @Option(
      help:
        "What it may do: read, submit, plan, apply, approve, destroy, catalog, impersonate or admin. May be repeated.")
    var scope: [Scope] = []
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
      Output.line(try await database.with { try await Tokens(store: $0).create(named: name, scopes: scope) })
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the tokens, never their secrets.")

    @Flag(help: "Prints JSON.") var json = false
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
      let tokens = try await database.with { try await Tokens(store: $0).list() }
      if json {
        return Output.line(String(decoding: try JSONEncoder.porc.encode(tokens), as: UTF8.self))
      }
      for token in tokens {
        let scopes = token.scopes.map(\.rawValue).joined(separator: ",")
        let state =
          token.revokedAt.map { "revoked \(Timestamp.text($0))" } ?? "since \(Timestamp.text(token.createdAt))"
        Output.line("\(token.id)  \(token.name)  \(scopes)  \(state)")
      }
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Revokes a token, at once.", discussion: "For example: porc token revoke ci")

    @Argument(help: "Its name or id.") var token: String
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
      try await database.with { try await Tokens(store: $0).revoke(token) }
    }
  }
}

/// Which database: that of `porc dev`, or that of a server's settings.
struct DatabaseOptions: ParsableArguments {
  @Option(help: "The data folder of porc dev.")
  var data: String?
  @OptionGroup var settings: SettingsOptions

  func with<Value: Sendable>(_ work: (any Store) async throws -> Value) async throws -> Value {
    let store = try SQLiteStore.open(path: try await path(), exclusively: false)
    do {
      let value = try await work(store)
      try await store.close()
      return value
    } catch {
      try? await store.close()  // the first error is the one that counts
      throw error
    }
  }

  private func path() async throws -> String {
    if let data { return Dev.absolute(data) + "/porc.sqlite" }
    if try await settings.areGiven() {
      let url = try await settings.reader().string(forKey: "porc.database_url") ?? ServerSettings.usualDatabaseURL
      guard url.hasPrefix("sqlite:") else { throw ValidationError("PORC_DATABASE_URL is not sqlite:PATH.") }
      return String(url.dropFirst("sqlite:".count))
    }
    let dev = Dev.absolute(DevFolder.usual + "/porc.sqlite")
    guard FileManager.default.fileExists(atPath: dev) else {
      throw ValidationError("Which database? Set PORC_DATABASE_URL, or name the folder of porc dev with --data.")
    }
    return dev
  }
}

extension Scope: ExpressibleByArgument {}

import ArgumentParser
import PineCLI

struct CatalogCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "catalog",
    abstract: "Says where a server's templates come from: lists, adds, removes and syncs sources.",
    discussion: "For example: porc catalog add platform --git https://github.com/acme/infra-modules.git")

  @Argument(parsing: .captureForPassthrough, help: "list, add, remove or sync, and what goes with it.")
  var arguments: [String] = []

  func run() async throws {
    await PineCLI.main(.catalog, arguments: arguments)
  }
}

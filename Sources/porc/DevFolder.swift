import Foundation
import PorcCore

/// The folder in which `porc dev` keeps everything, private to its owner.
struct DevFolder: Sendable {
  static let organization = "porc-dev"
  static let clientID = "porc-dev"

  /// Where it is unless somebody says otherwise.
  static let usual = ".porc"

  let root: String
  /// Locked as long as this process lives: the system lets go of it however that ends (flock(2)).
  private let lock: Int32

  init(_ path: String) throws {
    root = Dev.absolute(path)
    do {
      try FileManager.default.createDirectory(
        atPath: root, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw Fault(
        .invalidInput, "The data folder '\(root)' cannot be made.", fix: "Name another with --data.", cause: error)
    }
    lock = open(root + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      throw Fault(
        .busy, "Another porc dev uses the data folder '\(root)'.", fix: "Stop it first, or name another with --data.")
    }
  }

  func path(_ name: String) -> String { root + "/" + name }

  var keyFile: String { path("secret.key") }
  var tokenFile: String { path("admin-token") }
  var tfeTokenFile: String { path("tfe-token") }
  var portSecretFile: String { path("port-client-secret") }
  var portTokenFile: String { path("port-api-token") }
  /// The server's settings, as `porc serve` takes them.
  var settingsFile: String { Self.settingsFile(in: root) }

  static func settingsFile(in folder: String) -> String { Dev.absolute(folder) + "/settings.json" }
  private var addressFile: String { path("dev.json") }

  /// Lets `pine` find this PORC from here and from the folders below.
  func remember(url: String) throws {
    let address = try JSONEncoder.porc.encode(["porc": url, "token_file": tokenFile])
    try address.write(to: URL(filePath: addressFile), options: .atomic)
  }

  /// Nothing listens there any more.
  func forget() {
    try? FileManager.default.removeItem(atPath: addressFile)  // absent is as good
  }
}

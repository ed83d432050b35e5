import Foundation
import PorcStore
import TestKit
import Testing

/// A kind of store, for the one suite that all must pass.
struct StoreKind: Sendable, CustomTestStringConvertible {
  let name: String
  let open: @Sendable (_ folder: TemporaryFolder, _ settings: SQLiteStore.Settings) async throws -> any Store

  var testDescription: String { name }

  static let all = [
    StoreKind(name: "SQLite") { folder, settings in
      try SQLiteStore.open(path: folder.file("porc.sqlite").path, settings: settings)
    }
  ]
}

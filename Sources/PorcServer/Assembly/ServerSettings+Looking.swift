import Foundation

extension ServerSettings {
  /// Lends these settings to who only looks. Where there is no database they name an empty one, for as long: to open one
  /// is to make it, and the path may be mistaken.
  func looking<Value>(_ look: (_ settings: ServerSettings) async throws -> Value) async rethrows -> Value {
    if FileManager.default.fileExists(atPath: databasePath) { return try await look(self) }
    let folder = FileManager.default.temporaryDirectory.appending(path: "porc-look-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var settings = self
    settings.databasePath = folder.appending(path: "porc.sqlite").path
    return try await look(settings)
  }
}

import FoundationEssentials
import Glibc

/// What is done to files beyond writing and reading them whole.
enum Files {
  /// Removes a file, or a folder with all in it; does nothing where there is none. A link is removed, not followed.
  static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Makes a file that another program wrote private to its owner.
  static func makePrivate(_ path: String) { chmod(path, 0o600) }

  /// A path that means the same in whatever folder a program runs.
  static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }

  static func names(in folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }
}

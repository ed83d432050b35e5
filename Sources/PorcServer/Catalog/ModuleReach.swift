import Archive
import HCL
import PorcCore

/// How far a module's calls of local modules reach: TFE gets the template's folder and nothing around it.
enum ModuleReach {
  /// A finding for every call that leads out of the tree, of the root module or of one that it calls, near or far.
  static func findings(in entries: [ArchiveEntry]) -> [Finding] {
    var files: [[String]: [String: [UInt8]]] = [:]
    for entry in entries where entry.linkTarget == nil {
      let parts = entry.path.split(separator: "/").map(String.init)
      guard let name = parts.last else { continue }
      files[parts.dropLast(), default: [:]][name] = entry.bytes
    }
    var findings: [Finding] = []
    var seen: Set<[String]> = []
    var next: [[String]] = [[]]
    while let folder = next.popLast() {
      guard seen.insert(folder).inserted, let module = files[folder].map({ Module.read(files: $0) }) else { continue }
      for call in module.moduleCalls where call.isLocal || call.source?.hasPrefix("/") == true {
        guard call.isLocal, let target = resolve(call.source ?? "", from: folder) else {
          let file = (folder + [call.file]).joined(separator: "/")
          findings.append(
            Finding(
              at: "",
              "\(file): the module '\(call.name)' is outside of the template's folder, where it is not taken along.",
              fix: "Move it into the folder, or call it from a registry or a repository.", line: call.position.line,
              column: call.position.column))
          continue
        }
        next.append(target)
      }
    }
    return findings.sorted { ($0.message, $0.line ?? 0) < ($1.message, $1.line ?? 0) }
  }

  /// - Returns: the folder that a local source names; `nil` if it is not in the tree.
  private static func resolve(_ source: String, from folder: [String]) -> [String]? {
    var folder = folder
    for part in source.split(separator: "/") where part != "." {
      if part != ".." {
        folder.append(String(part))
      } else if folder.popLast() == nil {
        return nil
      }
    }
    return folder
  }
}

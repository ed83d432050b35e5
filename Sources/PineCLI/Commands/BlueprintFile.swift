import FoundationEssentials
import PorcCore

/// A blueprint as it is sent: the file's bytes, untouched, so that PORC's findings name its lines.
struct BlueprintFile: Sendable {
  /// As it was given; how findings name it.
  let name: String
  let bytes: [UInt8]

  /// - Parameter path: `-` for standard input.
  init(_ path: String, _ invocation: Invocation) async throws {
    if path == "-" {
      name = "<stdin>"
      bytes = await invocation.input.readAll()
    } else {
      name = path
      guard let data = FileManager.default.contents(atPath: invocation.absolute(path)) else {
        throw Complaint(.invalidInput, "The file '\(path)' cannot be read.")
      }
      bytes = Array(data)
    }
    if bytes.isEmpty { throw Complaint(.invalidInput, "'\(name)' is empty.", fix: "Give a blueprint, JSON or YAML.") }
  }

  /// By the name's ending, else by the first character.
  var contentType: String {
    let ending = name.split(separator: ".").last?.lowercased() ?? ""
    switch ending {
    case "json": return "application/json"
    case "yaml", "yml": return "application/yaml"
    default:
      let first = bytes.first {
        ![UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains($0)
      }
      return first == UInt8(ascii: "{") ? "application/json" : "application/yaml"
    }
  }
}

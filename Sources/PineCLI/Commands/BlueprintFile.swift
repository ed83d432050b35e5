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
      bytes = Array(try Self.contents(of: path, at: invocation.absolute(path)))
    }
    guard bytes.count <= Blueprint.maximumSize else {
      throw Complaint(
        .invalidInput, "'\(name)' has \(bytes.count / 1024) KiB; a blueprint may have \(Blueprint.maximumSize / 1024).",
        fix: "Name the blueprint, or make it smaller.")
    }
    if bytes.isEmpty { throw Complaint(.invalidInput, "'\(name)' is empty.", fix: "Give a blueprint, JSON or YAML.") }
  }

  private static func contents(of path: String, at absolute: String) throws -> Data {
    let files = FileManager.default
    var isFolder = false
    guard files.fileExists(atPath: absolute, isDirectory: &isFolder) else {
      throw Complaint(
        .invalidInput, "There is no file '\(path)'.", fix: "Check the path; it counts from where you are.")
    }
    if isFolder { throw Complaint(.invalidInput, "'\(path)' is a folder.", fix: "Name the blueprint's file in it.") }
    guard let data = files.contents(atPath: absolute) else {
      throw Complaint(.invalidInput, "The file '\(path)' cannot be read.", fix: "Check its rights.")
    }
    return data
  }

  /// By the name's ending, else by the first character.
  var format: DocumentText.Format {
    let ending = name.split(separator: ".").last?.lowercased() ?? ""
    switch ending {
    case "json": return .json
    case "yaml", "yml": return .yaml
    default:
      let first = bytes.first {
        ![UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains($0)
      }
      return first == UInt8(ascii: "{") ? .json : .yaml
    }
  }

  /// How PORC is told of the format.
  var contentType: String {
    switch format {
    case .json: "application/json"
    case .yaml, .either: "application/yaml"
    }
  }
}

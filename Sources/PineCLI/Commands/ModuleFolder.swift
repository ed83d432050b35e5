import FoundationEssentials
import PorcCore

/// A template's module in a folder of this machine, for checks without PORC.
struct ModuleFolder: Sendable {
  /// As it was given.
  let path: String
  private let absolute: String
  /// By name.
  private let files: [String: [UInt8]]

  init(_ path: String, _ invocation: Invocation) throws {
    self.path = path
    absolute = invocation.absolute(path)
    var files: [String: [UInt8]] = [:]
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: absolute) else {
      throw Complaint(
        .invalidInput, "There is no folder '\(path)'.", fix: "Name the module's folder, such as templates/web/1.0.0.")
    }
    for name in names where Template.isRead(fileNamed: name) {
      let file = "\(absolute)/\(name)"
      // PORC does not follow links in a module, so this does not either.
      let type = try? FileManager.default.attributesOfItem(atPath: file)[.type] as? FileAttributeType
      guard type == .typeRegular else { continue }
      guard let data = FileManager.default.contents(atPath: file) else {
        throw Complaint(.invalidInput, "The file '\(path)/\(name)' cannot be read.", fix: "Check its rights.")
      }
      files[name] = Array(data)
    }
    self.files = files
  }

  /// The template that PORC would make of the folder.
  ///
  /// - Parameter wish: what the blueprint asks for: gives name and version where the folder is not `NAME/VERSION`.
  /// - Throws: a ``Complaint`` if PORC would leave it out, after telling why.
  func template(for wish: (template: String, version: VersionConstraint?), telling output: Output) throws -> Template {
    let origin = Template.Origin(
      modulePath: modulePath ?? "\(wish.template)/\(wish.version?.someVersion?.description ?? "0.0.0")", files: files,
      archive: "", source: path)
    let read = Template.read(origin)
    for finding in read.findings {
      // The message begins with the file's name, and the place is one in it.
      let file = files.keys.first { finding.message.hasPrefix("\($0): ") }
      var finding = finding
      if let file { finding.message.removeFirst(file.count + 2) }
      output.tell([finding], in: file.map { "\(path)/\($0)" } ?? path)
    }
    guard let template = read.template else {
      throw Complaint(.invalidInput, "The module in '\(path)' is no template.", fix: "Mend what is named above.")
    }
    return template
  }

  /// `NAME/VERSION`, if the folder is called that.
  private var modulePath: String? {
    let parts = PathParts.parts(of: absolute)
    guard let version = parts.last.flatMap({ Version($0) }), let name = parts.dropLast().last, Template.isName(name)
    else { return nil }
    return "\(name)/\(version)"
  }
}

/// Paths, without asking the disk.
enum PathParts {
  /// The folders on an absolute path and what is at its end, without `.` and `..`.
  static func parts(of path: String) -> [String] {
    path.split(separator: "/").reduce(into: []) { parts, part in
      switch part {
      case ".": break
      case "..": _ = parts.popLast()
      default: parts.append(String(part))
      }
    }
  }
}

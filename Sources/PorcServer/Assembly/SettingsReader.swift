import Configuration
import Foundation
import HCL
import PorcCore

/// Takes the settings one by one, and notes everything that is wrong with them.
struct SettingsReader {
  let config: ConfigReader
  private(set) var problems: [String] = []
  /// Each that was asked for; those of the other dialect are settings too, and so are the mappings that others read.
  private var known: Set<String> = mappings.union(["port.client_id", "port.client_secret", "port.api_token"])

  /// Those that may be lists.
  private var lists: Set<String> = []

  init(_ config: ConfigReader) {
    self.config = config
  }

  /// `tfe.token` is `TFE_TOKEN` in the environment.
  private static func variable(_ key: String) -> String { key.uppercased().replacing(".", with: "_") }

  mutating func problem(_ key: String, _ rule: String) {
    problems.append("\(key) (\(Self.variable(key))) \(rule).")
  }

  /// What is wrong with a part of the file.
  mutating func problem(_ key: String, _ finding: Finding) {
    let place = finding.line.map { "line \($0), " } ?? ""
    problems.append("\(key): \(place)\(finding.pointer): \(finding.message) \(finding.fix ?? "")")
  }

  mutating func text(_ key: String, isSecret: Bool = false) -> String? {
    known.insert(key)
    let text = config.string(forKey: ConfigKey(key), isSecret: isSecret)
    return text?.isEmpty == true ? nil : text
  }

  /// Whatever is misspelt, or is no value of its setting, would silently not be so.
  mutating func check(_ file: [UInt8]) {
    guard case .object(let sections)? = (try? DocumentText.read(file, as: .yaml))?.content else { return }
    let names = Set(known.compactMap { $0.split(separator: ".").first.map(String.init) } + ["sources"])
    for section in sections where section.key != "sources" {
      guard names.contains(section.key) else {
        problemOfName(section, section.key, among: names)
        continue
      }
      switch section.value.content {
      case .null: continue
      case .object(let members): for member in members { check(member, "\(section.key).\(member.key)") }
      default: problem(section, "'\(section.key)' is no mapping of names to values.")
      }
    }
  }

  private mutating func check(_ member: SourceValue.Member, _ name: String) {
    guard known.contains(name) else { return problemOfName(member, name, among: known) }
    if Self.mappings.contains(name) { return }
    switch member.value.content {
    case .null, .string(""), .array([]):
      problem(member, "'\(name)' has no value. Give it one, or leave it out.")
    case .object:
      problem(member, "'\(name)' is a mapping, and should be one value\(lists.contains(name) ? " or a list" : "").")
    case .array where !lists.contains(name):
      problem(member, "'\(name)' is a list, and should be one value.")
    case .array(let elements) where !elements.allSatisfy(\.isText):
      problem(member, "'\(name)' has something else in its list than texts.")
    default: break
    }
  }

  /// Read by others.
  private static let mappings: Set = ["port.instance_properties", "port.template_properties"]

  private mutating func problem(_ member: SourceValue.Member, _ text: String) {
    problems.append("line \(member.keyRange.start.line): \(text)")
  }

  /// What the environment names almost as a setting is named. Others use it too, so it may be right.
  func doubts(of environment: some Sequence<String>) -> [String] {
    let names = Dictionary(known.map { (Self.variable($0), $0) }) { first, _ in first }
    return environment.sorted().compactMap { variable in
      guard ["PORC_", "PORT_", "BACKSTAGE_"].contains(where: variable.hasPrefix), names[variable] == nil,
        !Self.variablesOfPine.contains(variable), let meant = Suggestion.closest(to: variable, among: names.keys)
      else { return nil }
      return "'\(variable.prefix(100))' in the environment is no setting. Did you mean '\(meant)'?"
    }
  }

  private static let variablesOfPine: Set = ["PORC_URL", "PORC_TOKEN", "PORC_DATA", "PORC_ALLOW_HTTP"]

  private mutating func problemOfName(_ member: SourceValue.Member, _ name: String, among known: Set<String>) {
    let suggestion = Suggestion.closest(to: name, among: known.sorted()).map { " Did you mean '\($0)'?" } ?? ""
    problem(member, "'\(name.prefix(100))' is no setting.\(suggestion)")
  }

  /// A list, or one text with commas.
  mutating func list(_ key: String, isSecret: Bool = false) -> [String] {
    lists.insert(key)
    let parts =
      text(key, isSecret: isSecret)?.split(separator: ",").map(String.init)
      ?? config.stringArray(forKey: ConfigKey(key), isSecret: isSecret) ?? []
    return parts.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }

  mutating func required(_ key: String, isSecret: Bool = false) -> String {
    if let text = text(key, isSecret: isSecret) { return text }
    problem(key, "is missing")
    return ""
  }

  mutating func url(_ key: String) -> URL {
    let nowhere = URL(fileURLWithPath: "/")
    let text = required(key)
    guard !text.isEmpty else { return nowhere }
    guard let url = URL(string: text), ["https", "http"].contains(url.scheme), url.host != nil, url.query == nil,
      url.fragment == nil, url.user == nil
    else {
      problem(key, "is no http or https URL without a user and a query")
      return nowhere
    }
    return url
  }

  mutating func publicURL(_ key: String) -> PublicURL? {
    guard let text = text(key) else { return nil }
    guard let url = URL(string: text), ["https", "http"].contains(url.scheme), url.host != nil, url.query == nil,
      url.fragment == nil, url.user == nil
    else {
      problem(key, "is no http or https URL without a user and a query")
      return nil
    }
    return .named(String(text.reversed().drop { $0 == "/" }.reversed()))
  }

  /// Each as browsers send it: a scheme, a host and perhaps a port.
  mutating func origins(_ key: String) -> CORSMiddleware.Origins? {
    let texts = list(key)
    if texts.isEmpty { return nil }
    if texts == ["*"] { return .any }
    var origins: Set<String> = []
    for text in texts {
      let url = URL(string: text)
      let authority = text.split(separator: "://", maxSplits: 1).last ?? ""
      guard let url, let scheme = url.scheme, let host = url.host, !host.isEmpty, url.user == nil,
        !authority.contains(where: { "/?#*".contains($0) })
      else {
        problem(key, "has '\(text.prefix(100))', which is no origin such as https://portal.example.com")
        continue
      }
      // Browsers leave the scheme's own port out.
      let port = url.port.flatMap { [443: "https", 80: "http"][$0] == scheme.lowercased() ? nil : $0 }
      origins.insert("\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")".lowercased())
    }
    return .some(origins)
  }

  mutating func seconds(_ key: String, atLeast minimum: Int = 0) -> TimeInterval? {
    number(key, in: minimum...Int(Int32.max)).map(TimeInterval.init)
  }

  mutating func number(_ key: String, in range: ClosedRange<Int>) -> Int? {
    guard let text = text(key) ?? config.int(forKey: ConfigKey(key)).map(String.init) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      problem(key, "is no whole number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return number
  }

  mutating func flag(_ key: String) -> Bool? {
    guard let text = text(key)?.lowercased() else { return config.bool(forKey: ConfigKey(key)) }
    switch text {
    case "true", "yes", "1": return true
    case "false", "no", "0": return false
    default:
      problem(key, "is neither yes nor no")
      return nil
    }
  }
}

extension SourceValue {
  fileprivate var isText: Bool {
    if case .string(let text) = content { !text.isEmpty } else { false }
  }
}

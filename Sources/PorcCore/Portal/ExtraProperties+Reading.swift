import HCL

extension ExtraProperties {
  /// Reads `instance_properties` and `template_properties` under `port` in a configuration file: mappings from names to
  /// properties.
  ///
  /// ```yaml
  /// port:
  ///   instance_properties:
  ///     cost_center: {title: Cost Center, from: inputs.cost_center}
  ///     endpoint: {format: url, from: outputs.endpoint}
  ///     platform: {value: gcp}
  /// ```
  ///
  /// - Parameter taken: the names that PORC itself shows something under.
  public static func read(
    _ bytes: some Collection<UInt8>, taken: (PortalEntity.Kind) -> Set<String>
  ) -> (properties: ExtraProperties, findings: [Finding]) {
    var all = ExtraProperties()
    // What is wrong with the document as a whole is told by who reads the rest of it.
    guard let document = try? DocumentText.read(bytes, as: .either), let port = document.member("port")?.value else {
      return (all, [])
    }
    var findings: [Finding] = []
    for (kind, key) in [(PortalEntity.Kind.instance, "instance_properties"), (.template, "template_properties")] {
      guard let mapping = port.member(key)?.value, mapping.content != .null else { continue }
      let pointer = "/port/\(key)"
      guard case .object(let members) = mapping.content else {
        findings += DocumentReader(mapping, at: pointer).findings
        continue
      }
      for member in members {
        let read = property(member, at: pointer, kind, taken: taken(kind))
        findings += read.findings
        if let property = read.property {
          switch kind {
          case .instance: all.instance.append(property)
          case .template: all.template.append(property)
          }
        }
      }
    }
    return (all, findings)
  }

  private static func property(
    _ member: SourceValue.Member, at pointer: String, _ kind: PortalEntity.Kind, taken: Set<String>
  ) -> (property: ExtraProperty?, findings: [Finding]) {
    var reader = DocumentReader(member.value, at: pointer + ValuePath([.key(member.key)]).jsonPointer)
    guard case .object = member.value.content else { return (nil, reader.findings) }
    if taken.contains(member.key) {
      reader.note(
        member.value, reader.pointer, "PORC itself shows '\(member.key)'.", fix: "Choose another name for the property."
      )
    } else if !isKey(member.key) {
      reader.note(
        member.value, reader.pointer, "'\(member.key)' is no name that Port takes for a property.",
        fix: "Use at most 100 letters, digits, '@', '_', '=' and '-'.")
    }
    let type = reader.oneOf("type", ExtraProperty.ValueType.self)
    let format = reader.oneOf("format", ExtraProperty.Format.self)
    let source = reader.source(kind)
    let found = ExtraProperty(
      member.key, source ?? .constant(.null), type: type ?? source?.usualType ?? .string, format: format,
      title: reader.text("title", maximum: 100), description: reader.text("description", maximum: 200),
      icon: reader.text("icon", maximum: 100))
    reader.check(found)
    reader.refuseOthers()
    return (reader.findings.isEmpty ? found : nil, reader.findings)
  }

  /// `^[A-Za-z0-9@_=\-]+$`, at most 100.
  private static func isKey(_ key: String) -> Bool {
    (1...100).contains(key.utf8.count)
      && key.utf8.allSatisfy { byte in
        let character = Character(Unicode.Scalar(byte))
        return character.isASCII && (character.isLetter || character.isNumber) || "@_=-".utf8.contains(byte)
      }
  }
}

extension ExtraProperty.Source {
  /// The type that goes without saying.
  fileprivate var usualType: ExtraProperty.ValueType {
    guard case .constant(let value) = self else { return .string }
    return switch value {
    case .number: .number
    case .bool: .boolean
    case .array: .array
    case .object: .object
    case .string, .null: .string
    }
  }
}

extension DocumentReader {
  /// Exactly one of `from` and `value`.
  fileprivate mutating func source(_ kind: PortalEntity.Kind) -> ExtraProperty.Source? {
    let constant = member("value").flatMap { $0.content == .null ? nil : $0 }
    guard let from = text("from") else {
      if let constant { return .constant(constant.value) }
      if source.member("from") == nil {
        note(source, pointer, "It does not say what its value is.", fix: "Write 'from', or 'value'.")
      }
      return nil
    }
    let place = source.member("from")?.value ?? source
    if constant != nil {
      note(place, path("from"), "It has both 'from' and 'value'.", fix: "Keep one.")
      return nil
    }
    if kind == .template {
      note(place, path("from"), "A template's property has a fixed value.", fix: "Write 'value' instead.")
      return nil
    }
    let parts = from.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    switch (parts.first, parts.count == 2 ? parts[1] : "") {
    case ("inputs", let name) where !name.isEmpty: return .input(name)
    case ("outputs", let name) where !name.isEmpty: return .output(name)
    case ("metadata", let name):
      if let member = ExtraProperty.Metadata(rawValue: name) { return .metadata(member) }
      fallthrough
    default:
      let members = ExtraProperty.Metadata.allCases.map { "metadata.\($0.rawValue)" }.joined(separator: ", ")
      note(
        place, path("from"), "'\(from)' is nothing of an instance.", fix: "Write inputs.NAME, outputs.NAME, \(members)."
      )
      return nil
    }
  }

  fileprivate mutating func check(_ property: ExtraProperty) {
    if property.format != nil, property.type != .string {
      note(
        source.member("format")?.value ?? source, path("format"), "'format' is for the type 'string' only.",
        fix: "Leave it out.")
    } else if case .constant(let value) = property.source, !value.isNull, !property.fits(value) {
      note(
        source.member("value")?.value ?? source, path("value"), "The value does not fit the type or the format.",
        fix: "Mend it, or name its type.")
    }
  }
}

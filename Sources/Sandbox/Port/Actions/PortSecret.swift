/// A secret of the organization. Its value is never answered; actions use it as `{{ .secrets.NAME }}`. It lies in clear
/// in the data folder.
struct PortSecret: Sendable {
  let name: String
  var value: String
  var description: String?
  let createdAt: String
  var updatedAt: String

  /// Reads `{secretName, secretValue, description?}`.
  init(_ body: JSONValue, _ stamp: PortStamp) throws(PortFailure) {
    guard let name = body["secretName"].string, (1...100).contains(name.count),
      name.unicodeScalars.allSatisfy({
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_".unicodeScalars.contains($0))
      })
    else { throw .invalid("body/secretName must match pattern \"^[A-Za-z0-9-_]*$\"") }
    guard let value = body["secretValue"].string else {
      throw .invalid("body must have required property 'secretValue'")
    }
    self.name = name
    self.value = value
    (createdAt, updatedAt) = (stamp.time, stamp.time)
    try take(["description": body["description"]], stamp)
  }

  /// Takes over `{secretValue?, description?}`.
  mutating func take(_ body: JSONValue, _ stamp: PortStamp) throws(PortFailure) {
    if !body["secretValue"].isNull {
      guard let value = body["secretValue"].string else { throw .invalid("body/secretValue must be string") }
      self.value = value
    }
    if !body["description"].isNull {
      guard let description = body["description"].string, description.count <= 200 else {
        throw .invalid("body/description must be a string of at most 200 characters")
      }
      self.description = description
    }
    updatedAt = stamp.time
  }

  /// Port's JSON of it, without the value.
  var json: JSONValue {
    var document: JSONValue = [
      "secretName": .string(name), "createdAt": .string(createdAt), "updatedAt": .string(updatedAt),
    ]
    if let description { document["description"] = .string(description) }
    return document
  }

  var stored: JSONValue {
    var document = json
    document["_value"] = .string(value)
    return document
  }

  /// Reads ``stored`` back.
  init?(_ stored: JSONValue) {
    guard let name = stored["secretName"].string, let value = stored["_value"].string else { return nil }
    (self.name, self.value) = (name, value)
    description = stored["description"].string
    (createdAt, updatedAt) = (stored["createdAt"].string ?? "", stored["updatedAt"].string ?? "")
  }
}

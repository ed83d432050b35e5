import Crypto
import FoundationEssentials

extension TFEState {
  /// A new state version, as the CLI makes in local mode. The workspace must be locked, by somebody and not by a run.
  ///
  /// - Parameters:
  ///   - raw: the state, where the document has it; otherwise an upload brings it.
  func createStateVersion(workspace id: String, _ document: JSONValue, origin: String) throws -> JSONValue {
    let workspace = try workspace(id)
    guard workspace.lock != nil else {
      throw APIError.conflict("Workspace must be locked by the caller to create a state version")
    }
    let attributes = document["data"]["attributes"]
    guard let serial = attributes["serial"].int, serial >= 0 else {
      throw APIError.invalid("serial", "Serial must be a number")
    }
    guard let md5 = attributes["md5"].string, md5.wholeMatch(of: #/[0-9a-fA-F]{32}/#) != nil else {
      throw APIError.invalid("md5", "MD5 must be the hexadecimal digest of the state")
    }
    let raw = try decodeBase64(attributes, "state")
    let lineage = attributes["lineage"].string ?? raw.flatMap { StateFile($0)?.lineage } ?? ""
    if attributes["force"].bool != true, let current = stateVersions[workspace.currentStateVersionID] {
      guard current.lineage.isEmpty || lineage.isEmpty || current.lineage == lineage else {
        throw APIError.conflict("The lineage of the state does not match that of the current state")
      }
      guard serial > current.serial else {
        throw APIError.conflict("The serial of the state must be greater than the current one, \(current.serial)")
      }
    }
    let version = StateVersion(
      id: Identifier.make("sv"), sequence: nextSequence(), workspaceID: id,
      runID: document["data"]["relationships"]["run"]["data"]["id"].string, createdAt: Timestamp.now(),
      serial: serial, lineage: lineage, md5: md5.lowercased(), status: .pending)
    add(version)
    if let raw { try storeState(version.id, raw) }
    if let json = try decodeBase64(attributes, "json-state") { try storeStateJSON(version.id, json) }
    return try stateVersionDocument(version.id, query: Query(nil), origin: origin)
  }

  /// Makes a copy of an earlier state the current one. The workspace must be locked, as for any other state version.
  func rollBackState(workspace id: String, _ document: JSONValue, origin: String) throws -> JSONValue {
    let workspace = try workspace(id)
    guard workspace.lock != nil else {
      throw APIError.conflict("Workspace must be locked by the caller to roll back its state")
    }
    let pointer = "/data/relationships/rollback-state-version"
    guard let wanted = document["data"]["relationships"]["rollback-state-version"]["data"]["id"].string else {
      throw APIError.unprocessable(pointer, "Rollback state version can't be blank")
    }
    guard let old = stateVersions[wanted], old.workspaceID == id, old.status == .finalized,
      let bytes = try DurableFile.read(folder.state(wanted)), var content = try? JSONValue(parsing: bytes)
    else { throw APIError.unprocessable(pointer, "Rollback state version not found") }
    // Terraform refuses a state whose serial goes back.
    let serial = (stateVersions[workspace.currentStateVersionID]?.serial ?? old.serial) + 1
    content["serial"] = .init(serial)
    let version = StateVersion(
      id: Identifier.make("sv"), sequence: nextSequence(), workspaceID: id, runID: nil, createdAt: Timestamp.now(),
      serial: serial, lineage: old.lineage, md5: hexadecimal(Insecure.MD5.hash(data: content.bytes)), status: .pending)
    add(version)
    try storeState(version.id, content.bytes)
    return try stateVersionDocument(version.id, query: Query(nil), origin: origin)
  }

  private func decodeBase64(_ attributes: JSONValue, _ name: String) throws -> [UInt8]? {
    guard let text = attributes[name].string else { return nil }
    guard let data = Data(base64Encoded: text) else { throw APIError.invalid(name, "\(name) must be base64") }
    return Array(data)
  }

  /// Takes the content of a state version, which must be the one announced, and makes it the current state.
  func storeState(_ id: String, _ bytes: [UInt8]) throws {
    guard var version = stateVersions[id] else { throw APIError.notFound }
    guard version.status == .pending else { throw APIError.conflict("The state was uploaded already") }
    guard hexadecimal(Insecure.MD5.hash(data: bytes)) == version.md5 else {
      throw APIError.unprocessable("/data/attributes/md5", "The digest of the state does not match")
    }
    guard let file = StateFile(bytes) else {
      throw APIError.unprocessable("/data/attributes/state", "The state cannot be read")
    }
    try DurableFile.write(bytes, to: folder.state(id))
    fill(&version, from: file, size: bytes.count)
    finalize(version)
  }

  func storeStateJSON(_ id: String, _ bytes: [UInt8]) throws {
    guard var version = stateVersions[id] else { throw APIError.notFound }
    guard !version.hasJSON else { throw APIError.conflict("The JSON state was uploaded already") }
    try DurableFile.write(bytes, to: folder.stateJSON(id))
    version.hasJSON = true
    stateVersions.set(version)
  }

  /// The state that terraform left behind in a run. Does nothing where it is the one that the run began with.
  func storeState(of run: inout Run, _ bytes: [UInt8]) throws {
    guard let file = StateFile(bytes) else { return }
    let md5 = hexadecimal(Insecure.MD5.hash(data: bytes))
    if let current = stateVersions[workspaces[run.workspaceID]?.currentStateVersionID], current.md5 == md5 { return }
    var version = StateVersion(
      id: Identifier.make("sv"), sequence: nextSequence(), workspaceID: run.workspaceID, runID: run.id,
      createdAt: Timestamp.now(), serial: file.serial, lineage: file.lineage, md5: md5, status: .pending)
    try DurableFile.write(bytes, to: folder.state(version.id))
    fill(&version, from: file, size: bytes.count)
    add(version)
    finalize(version)
    run.stateVersionIDs.append(version.id)
  }

  private func add(_ version: StateVersion) {
    stateVersions.set(version)
    stateVersionIDs[version.workspaceID, default: []].append(version.id)
  }

  private func fill(_ version: inout StateVersion, from file: StateFile, size: Int) {
    version.size = size
    version.terraformVersion = file.terraformVersion
    version.resources = file.resources
    version.resourceCount = file.resourceCount
    version.outputs = file.outputs.map { output in
      .init(id: Identifier.make("wsout"), name: output.name, sensitive: output.sensitive, type: output.type)
    }
  }

  private func finalize(_ version: StateVersion) {
    var version = version
    version.status = .finalized
    stateVersions.set(version)
    for output in version.outputs { stateVersionOfOutput[output.id] = version.id }
    guard var workspace = workspaces[version.workspaceID] else { return }
    workspace.currentStateVersionID = version.id
    workspace.updatedAt = Timestamp.now()
    workspaces.set(workspace)
  }

  func stateVersion(_ id: String) throws -> StateVersion {
    guard let version = stateVersions[id] else { throw APIError.notFound }
    return version
  }

  func currentStateVersionID(workspace id: String) throws -> String {
    guard let version = try workspace(id).currentStateVersionID else { throw APIError.notFound }
    return version
  }

  func stateVersionDocument(_ id: String, query: Query, origin: String) throws -> JSONValue {
    let version = try stateVersion(id)
    let includes = try Includes(query, allowed: Self.stateIncludes)
    return JSONAPI.document(
      resource(version, origin: origin), included: try included(with: version, includes, origin: origin))
  }

  func stateVersionList(query: Query, origin: String, url: String) throws -> JSONValue {
    guard let name = query["filter[workspace][name]"], let organization = query["filter[organization][name]"] else {
      throw APIError.badRequest("Missing filter", "filter[workspace][name] and filter[organization][name] are required")
    }
    let workspaceID = try workspaceID(organization: organization, name: name)
    let statuses = query.list("filter[status]")
    let all = (stateVersionIDs[workspaceID] ?? []).reversed().compactMap { stateVersions[$0] }
      .filter { statuses?.contains($0.status.rawValue) ?? true }
    let page = Page(query)
    return page.document(
      page.slice(all).map { resource($0, origin: origin) }, of: all.count, included: [], url: url, query: query)
  }

  /// All outputs of a version; the values of sensitive ones are null.
  func outputs(of version: StateVersion) throws -> [JSONValue] {
    let file = try stateFile(version.id)
    return version.outputs.map { resource($0, value: $0.sensitive ? .null : file.value($0.name)) }
  }

  /// One output with its value, sensitive or not.
  func outputDocument(_ id: String) throws -> JSONValue {
    guard let version = stateVersions[stateVersionOfOutput[id]],
      let output = version.outputs.first(where: { $0.id == id })
    else { throw APIError.notFound }
    return JSONAPI.document(resource(output, value: try stateFile(version.id).value(output.name)))
  }

  private func stateFile(_ id: String) throws -> StateFile {
    guard let bytes = try DurableFile.read(folder.state(id)), let file = StateFile(bytes) else {
      throw APIError.notFound
    }
    return file
  }
}

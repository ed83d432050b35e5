import FoundationEssentials
import NIOCore
import NIOHTTP1

extension RegistryClient {
  /// The versions of a module: `GET {service}NAMESPACE/NAME/SYSTEM/versions`.
  ///
  /// Where the registry gives its answer an `ETag`, the next call names it, and an unchanged list costs a 304.
  public func versions(of module: ModuleAddress) async throws -> ModuleVersions {
    let known = memory.list(of: module)
    var question = try await question(about: module, "versions")
    question.headers = [("Accept", "application/json")] + (known.map { [("If-None-Match", $0.entityTag)] } ?? [])
    question.accepts = known == nil ? nil : 304
    let answer = try await get(question)
    if answer.status == 304, let known { return known.versions }
    let versions: ModuleVersions
    do {
      versions = try ModuleVersions(json: answer.data)
    } catch {
      throw RegistryError.badAnswer(
        "'\(answer.address.host)' does not answer with a list of versions.", status: answer.status,
        place: question.place(answer.address))
    }
    memory.keep(Self.entityTag(of: answer).map { .init(entityTag: $0, versions: versions) }, of: module)
    return versions
  }

  /// Where a version of a module is: `GET {service}NAMESPACE/NAME/SYSTEM/VERSION/download`, whose header
  /// `X-Terraform-Get` says it.
  ///
  /// - Parameter version: SemVer, with or without a leading `v`.
  public func location(of module: ModuleAddress, version: String) async throws -> ModuleLocation {
    guard let number = VersionText.normalized(version) else {
      throw RegistryError(
        .invalid, "'\(version.prefix(100))' is not the version of a module.", place: "\(module)",
        fix: "Write it as MAJOR.MINOR.PATCH.")
    }
    let question = try await question(about: module, number, "download")
    let answer = try await get(question)
    guard let source = answer.headers.first(name: "X-Terraform-Get"), !source.isEmpty, source.utf8.count <= 8192 else {
      throw RegistryError.badAnswer(
        "'\(answer.address.host)' does not say where the module is: it sends no header 'X-Terraform-Get'.",
        status: answer.status, place: question.place(answer.address))
    }
    return ModuleLocation(
      source: source, relativeTo: question.address, plainHTTP: configuration.allowsPlainHTTP)
  }

  /// The bytes of an archive, whole and with the checksum that the registry gave, if it gave one. They are not looked
  /// into: unpack them with care.
  ///
  /// Asked for without the token, on whatever host it is. Ask for the location shortly before: signed addresses end.
  public func download(_ archive: ModuleArchive) async throws -> [UInt8] {
    let question = Question(
      address: archive.web, isSecret: true, wantsToken: false, limit: configuration.maximumArchiveBytes,
      timeout: configuration.downloadTimeout,
      notFound: ("The archive is not there.", "Ask the registry for its location again: addresses of archives end."))
    let answer = try await get(question)
    let bytes = Array(answer.body.readableBytesView)
    if let checksum = archive.checksum, !checksum.matches(bytes) {
      throw RegistryError(
        .badAnswer, status: answer.status,
        "The archive is not the one that the registry means: its \(checksum.algorithm.rawValue) is another.",
        place: question.place(answer.address),
        fix: "Try again; if it stays so, tell who runs the registry: the archive was changed.")
    }
    return bytes
  }

  private func question(about module: ModuleAddress, _ parts: String...) async throws -> Question {
    guard (module.host ?? configuration.host) == configuration.host else {
      throw RegistryError(
        .invalid, "'\(module)' is not on '\(configuration.host)'.", place: "\(module)",
        fix: "Ask the registry that its address names.")
    }
    var address = try await service()
    // Nothing to escape: addresses and versions are checked more strictly than paths are.
    address.path += ([module.path] + parts).joined(separator: "/")
    let subject = parts.count > 1 ? "'\(module)' has no version \(parts[0])" : "There is no module '\(module)'"
    return Question(
      address: address, limit: configuration.maximumAnswerBytes, timeout: configuration.requestTimeout,
      notFound: ("\(subject), or the token may not see it.", "Check the address, and what the token may read."))
  }

  /// The answer's `ETag`, if it is one that can be sent back.
  private static func entityTag(of answer: Answer) -> String? {
    answer.headers.first(name: "ETag").flatMap { tag in
      !tag.isEmpty && tag.utf8.count <= 512 && tag.utf8.allSatisfy { 0x21...0x7E ~= $0 } ? tag : nil
    }
  }
}

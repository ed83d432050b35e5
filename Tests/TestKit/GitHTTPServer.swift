import Foundation
import HTTPTypes
import Processes

/// A real git server over HTTP on a loopback socket, for all repositories below a folder: `git http-backend` behind a
/// `ScriptedServer`, whose script comes first. It can be fetched from and pushed to.
///
/// ```swift
/// let server = GitHTTPServer(folder: folder.path)
/// try await server.serve { url in … "\(url)/modules.git" … }
/// ```
public final class GitHTTPServer: Sendable {
  /// For failures, silence and what has arrived.
  public let script: ScriptedServer

  /// - Parameters:
  ///   - folder: where the repositories are: `FOLDER/modules.git` is `URL/modules.git`.
  ///   - demanding: the Basic credentials that every request needs, as `user:password`; nil for none.
  ///   - settings: git's, for all of them. By default partial fetches are known, and everybody may push.
  public init(
    folder: String, demanding credentials: String? = nil,
    settings: [String: String] = ["uploadpack.allowFilter": "true", "http.receivepack": "true"]
  ) {
    let expected = credentials.map { "Basic \(Data($0.utf8).base64EncodedString())" }
    script = ScriptedServer { request in
      if let expected, request.headers[.authorization] != expected {
        return .status(401, headers: [.wwwAuthenticate: #"Basic realm="git""#])
      }
      return await Self.answer(request, folder: folder, settings: settings)
    }
  }

  /// Runs the server while `body` runs, and hands it the server's address, `http://127.0.0.1:PORT`.
  public func serve<Value: Sendable>(_ body: (_ url: String) async throws -> Value) async throws -> Value {
    try await script.serve(body)
  }

  /// How often a client has asked what references there are: once for each `ls-remote` and `fetch`.
  public var connections: Int { script.requests.count { $0.path.hasSuffix("/info/refs") } }

  private static func answer(
    _ request: ScriptedServer.Request, folder: String, settings: [String: String]
  ) async -> ScriptedServer.Answer {
    var environment = [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": folder,
      "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_PROJECT_ROOT": folder,
      "GIT_HTTP_EXPORT_ALL": "1", "REMOTE_ADDR": "127.0.0.1", "PATH_INFO": request.path,
      "QUERY_STRING": request.query, "REQUEST_METHOD": request.method, "CONTENT_LENGTH": String(request.body.count),
      "GIT_CONFIG_COUNT": String(settings.count),
    ]
    for (index, setting) in settings.enumerated() {
      environment["GIT_CONFIG_KEY_\(index)"] = setting.key
      environment["GIT_CONFIG_VALUE_\(index)"] = setting.value
    }
    environment["CONTENT_TYPE"] = request.headers[.contentType]
    environment["HTTP_CONTENT_ENCODING"] = request.headers[.contentEncoding]
    if let name = HTTPField.Name("Git-Protocol") { environment["HTTP_GIT_PROTOCOL"] = request.headers[name] }
    var command = Command("git", ["http-backend"], environment: environment)
    command.standardInput = request.body
    guard let output = try? await command.capture(limit: 512 << 20).standardOutput else { return .status(500) }
    return answer(output)
  }

  /// Reads what a CGI program writes (RFC 3875, section 6): fields, an empty line, the body.
  private static func answer(_ output: [UInt8]) -> ScriptedServer.Answer {
    var status = 200
    var headers: HTTPFields = [:]
    var rest = output[...]
    while let end = rest.firstIndex(of: 0x0A) {
      let line = String(decoding: rest[..<end], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      rest = rest[(end + 1)...]
      guard !line.isEmpty else { return .status(status, headers: headers, body: Array(rest)) }
      let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == 2 else { break }
      if parts[0].lowercased() == "status" {
        status = Int(parts[1].prefix(3)) ?? 500
      } else if let name = HTTPField.Name(parts[0]) {
        headers[name] = parts[1]
      }
    }
    return .status(500)
  }
}

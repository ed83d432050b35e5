import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Processes
import Sandbox
import TestKit

/// Debian's Chromium without a window, driven as the W3C's WebDriver says.
struct Browser: Sendable {
  static let isInstalled = Command.find("chromium") != nil && Command.find("chromedriver") != nil

  private let session: String

  /// Runs a browser of its own around `body`.
  static func run(_ body: (Browser) async throws -> Void) async throws {
    let folder = try TemporaryFolder()
    let command = Command(
      "chromedriver", ["--port=0"],
      environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "", "HOME": folder.path])
    let stop = StopSignal()
    let (lines, feed) = AsyncStream.makeStream(of: String.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { feed.finish() }
        _ = try await command.run(stop: stop, onLine: { feed.yield($0) })
      }
      let result: Result<Void, any Error>
      do {
        var url: String?
        for await line in lines {
          // "ChromeDriver was started successfully on port 12345."
          guard let match = line.firstMatch(of: /successfully on port (\d+)/) else { continue }
          url = "http://127.0.0.1:\(match.1)"
          break
        }
        guard let url else { throw Failure(message: "chromedriver did not start") }
        result = .success(try await drive(url, profile: folder.path + "/profile", body))
      } catch {
        result = .failure(error)
      }
      stop.stop(grace: .seconds(5))
      try await group.waitForAll()
      try result.get()
    }
  }

  private static func drive(_ url: String, profile: String, _ body: (Browser) async throws -> Void) async throws {
    // Root needs --no-sandbox; the rest keeps it from asking the world for anything.
    let arguments: JSONValue = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
      "--user-data-dir=\(profile)", "--window-size=1200,900",
    ]
    let options: JSONValue = ["binary": .string(Command.find("chromium") ?? ""), "args": arguments]
    let made = try await call(
      "POST", url + "/session",
      ["capabilities": ["alwaysMatch": ["browserName": "chrome", "goog:chromeOptions": options]]])
    let browser = Browser(session: "\(url)/session/\(made["sessionId"].string ?? "")")
    let result: Result<Void, any Error>
    do {
      _ = try await call("POST", browser.session + "/timeouts", ["script": 45_000])
      result = .success(try await body(browser))
    } catch {
      result = .failure(error)
    }
    _ = try await call("DELETE", browser.session)
    try result.get()
  }

  func open(_ url: String) async throws { _ = try await Self.call("POST", session + "/url", ["url": .string(url)]) }

  /// Clicks the first element that a CSS selector finds.
  func click(_ selector: String) async throws {
    let found = try await Self.call(
      "POST", session + "/element", ["using": "css selector", "value": .string(selector)])
    let element = found.object?.values.first?.string ?? ""
    _ = try await Self.call("POST", session + "/element/\(element)/click", [:])
  }

  /// The value of a JavaScript expression.
  func value(_ expression: String) async throws -> JSONValue {
    try await Self.call("POST", session + "/execute/sync", ["script": .string("return \(expression)"), "args": []])
  }

  /// The value of a JavaScript expression as soon as it is true.
  @discardableResult
  func wait(for expression: String) async throws -> JSONValue {
    let script = """
      const done = arguments[0];
      const look = () => { const value = (() => { try { return \(expression) } catch { return null } })();
        value ? done(value) : setTimeout(look, 20) };
      look();
      """
    do {
      return try await Self.call("POST", session + "/execute/async", ["script": .string(script), "args": []])
    } catch {
      let text = try await value("document.body.innerText")
      throw Failure(message: "'\(expression)' did not come true: \(error)\n\(text.text)")
    }
  }

  struct Failure: Error { let message: String }

  private static func call(_ method: String, _ url: String, _ body: JSONValue? = nil) async throws -> JSONValue {
    var request = HTTPClientRequest(url: url)
    request.method = HTTPMethod(rawValue: method)
    if let body { request.body = .bytes(body.bytes) }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    let bytes = try await response.body.collect(upTo: 16 << 20)
    let value = try JSONValue(parsing: bytes.readableBytesView)["value"]
    guard response.status == .ok else { throw Failure(message: "\(method) \(url): \(value.text.prefix(500))") }
    return value
  }
}

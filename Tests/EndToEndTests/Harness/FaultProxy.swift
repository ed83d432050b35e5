import AsyncHTTPClient
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import Synchronization
import TestKit

/// The network between PORC and another server, which fails now and then: it drops requests before or after they were
/// passed on, is slow, answers in the server's place, and breaks answers off.
final class FaultProxy: Sendable {
  /// What may happen to a request.
  enum Fault: CaseIterable {
    case droppedBefore, droppedAfter, slow, serverError, tooManyRequests, brokenOff
  }

  private struct State {
    var upstream = ""
    var isFailing = true
    var random: SplitMix
    var count = 0
  }

  private let state: Mutex<State>
  /// One of so many requests fails.
  private let rarity: Int
  private static let http = HTTPClient(
    eventLoopGroupProvider: .singleton, configuration: .init(redirectConfiguration: .disallow))

  init(seed: UInt64, rarity: Int = 6) {
    state = Mutex(State(random: SplitMix(seed: seed)))
    self.rarity = rarity
  }

  /// How many requests have failed.
  var failures: Int { state.withLock(\.count) }

  /// Where the requests go.
  func lead(to upstream: String) { state.withLock { $0.upstream = upstream } }

  /// From now on every request is passed on.
  func mend() { state.withLock { $0.isFailing = false } }

  /// Listens while `body` runs, which gets the address.
  func serve<Value: Sendable>(_ body: (_ url: String) async throws -> Value) async throws -> Value {
    try await ScriptedServer(otherwise: { [self] request in await answer(request) }).serve(body)
  }

  private func answer(_ request: ScriptedServer.Request) async -> ScriptedServer.Answer {
    let fault: (kind: Fault, status: Int)? = state.withLock { state in
      guard state.isFailing, Int.random(in: 0..<rarity, using: &state.random) == 0,
        let kind = Fault.allCases.randomElement(using: &state.random)
      else { return nil }
      state.count += 1
      return (kind, [500, 502, 503, 504].randomElement(using: &state.random) ?? 500)
    }
    switch fault?.kind {
    case .droppedBefore: return .dropped
    case .serverError: return .status(fault?.status ?? 500)
    case .tooManyRequests: return .status(429, headers: [.retryAfter: "1"])
    case .slow: try? await Task.sleep(for: .milliseconds(300))
    case .droppedAfter, .brokenOff, nil: break
    }
    guard let answer = try? await passOn(request) else { return .dropped }
    switch fault?.kind {
    case .droppedAfter: return .dropped
    case .brokenOff: return answer.brokenOff
    default: return answer
    }
  }

  private func passOn(_ request: ScriptedServer.Request) async throws -> ScriptedServer.Answer {
    let query = request.query.isEmpty ? "" : "?\(request.query)"
    var outgoing = HTTPClientRequest(url: state.withLock(\.upstream) + request.path + query)
    outgoing.method = HTTPMethod(rawValue: request.method)
    for field in request.headers where field.name != .transferEncoding && field.name != .contentLength {
      outgoing.headers.add(name: field.name.rawName, value: field.value)
    }
    if !request.body.isEmpty { outgoing.body = .bytes(ByteBuffer(bytes: request.body)) }
    let response = try await Self.http.execute(outgoing, timeout: .seconds(60))
    let body = try await response.body.collect(upTo: 64 << 20)
    var headers = HTTPFields()
    for (name, value) in response.headers {
      guard let name = HTTPField.Name(name), name != .contentLength, name != .transferEncoding, name != .connection
      else {
        continue
      }
      headers.append(HTTPField(name: name, value: value))
    }
    return .status(Int(response.status.code), headers: headers, body: Array(body.readableBytesView))
  }
}

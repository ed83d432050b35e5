import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import PorcCore
import PorcStore

/// Lets every write be repeated safely: the same key with the same request gets the stored answer, byte for byte.
struct Idempotency: Sendable {
  let store: any Store

  /// The key that a request came with.
  ///
  /// - Throws: a fault if it is not one to three hundred visible characters.
  func key(_ request: Request, _ context: PorcContext, body: [UInt8]) throws -> IdempotencyKey? {
    guard let text = request.headers[.idempotencyKey] else { return nil }
    guard (1...300).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw Fault(
        .malformedRequest, "The Idempotency-Key is not 1 to 300 visible ASCII characters.", fix: "Send a UUID, say.")
    }
    return IdempotencyKey(
      caller: context.caller.id, key: text, fingerprint: Self.fingerprint(of: request, body: body))
  }

  /// What must be the same in a request that is sent again.
  static func fingerprint(of request: Request, body: [UInt8]) -> String {
    var digest = SHA256()
    digest.update(data: Data("\(request.method.rawValue) \(request.uri.path)\n".utf8))
    digest.update(data: Data(body))
    return digest.finalize().hex
  }

  /// Answers with what was answered under the key before, else with what `work` does now.
  ///
  /// - Throws: a fault if the key came with another request before.
  func once(_ key: IdempotencyKey?, _ work: () async throws -> Response) async throws -> Response {
    guard let key else { return try await work() }
    if let answer = try await store.answer(to: key) { return try replay(answer, to: key) }
    do {
      return try await work()
    } catch StoreError.alreadyAnswered(let answer) {
      return try replay(answer, to: key)  // the same request, sent twice at the same moment
    }
  }

  private func replay(_ answer: StoredAnswer, to key: IdempotencyKey) throws -> Response {
    guard answer.fingerprint == key.fingerprint else {
      throw Fault(
        .idempotencyKeyReused, "The Idempotency-Key was sent before with another request.",
        fix: "Use a new key for a new request.")
    }
    return .bytes(
      answer.body, type: answer.status < 400 ? "application/json" : "application/problem+json",
      status: HTTPResponse.Status(code: answer.status), location: answer.location)
  }
}

extension Sequence where Element == UInt8 {
  /// Lower-case hexadecimal.
  var hex: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

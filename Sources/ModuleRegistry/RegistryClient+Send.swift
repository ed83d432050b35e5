import AsyncHTTPClient
import FoundationEssentials
import HTTPExchange
import Logging
import NIOCore
import NIOHTTP1
import Retry

extension RegistryClient {
  /// One GET, before it is sent.
  struct Question {
    var address: WebAddress
    /// Whether the path may be a secret too, as an archive's.
    var isSecret = false
    /// Whether the token may go along; it goes to the home host only, in any case.
    var wantsToken = true
    var headers: [(name: String, value: String)] = []
    /// A status besides 2xx that is an answer here.
    var accepts: Int?
    /// How many redirects are followed.
    var redirects = 5
    var limit: Int
    var timeout: Duration
    /// What a 404 means.
    var notFound: (message: String, fix: String)

    func place(_ hop: WebAddress) -> String {
      let start = "GET " + (isSecret ? address.shownAsSecret : address.shown)
      // Targets of redirects are signed more often than not.
      return hop == address ? start : start + ", redirected to " + hop.shownAsSecret
    }
  }

  /// What came back, read to its end.
  struct Answer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: ByteBuffer
    /// Who answered, after redirects.
    var address: WebAddress

    var data: Data { Data(body.readableBytesView) }
  }

  /// Asks, again where that makes sense, and follows redirects.
  ///
  /// - Throws: ``RegistryError`` for everything but a 2xx and what the question accepts, or `CancellationError`.
  func get(_ question: Question) async throws -> Answer {
    try await retrying(
      configuration.retryPolicy, clock: configuration.clock, random: configuration.random,
      classify: { error in
        guard let error = error as? RegistryError, error.isRetryable else { return .giveUp }
        logger.debug("module registry did not answer, asking again", metadata: ["error": "\(error)"])
        return .retry(after: error.retryAfter)
      }
    ) { _ in try await follow(question) }
  }

  /// One attempt, from the first address on: what a redirect leads to may be valid once only.
  private func follow(_ question: Question) async throws -> Answer {
    let home = home("/").origin
    var address = question.address
    var mayCarryToken = question.wantsToken
    for hop in 0...question.redirects {
      // Once away, the token stays behind: a foreign host must not choose what it is used for.
      mayCarryToken = mayCarryToken && address.origin == home
      let answer = try await sendOnce(question, to: address, token: mayCarryToken ? configuration.token : nil)
      guard [301, 302, 303, 307, 308].contains(answer.status) else { return answer }
      guard hop < question.redirects else { break }
      let place = question.place(address)
      guard let location = answer.headers.first(name: "Location"), let next = try? address.resolving(location) else {
        throw RegistryError.badAnswer(
          "'\(address.host)' redirects, but not to a web address.", status: answer.status, place: place)
      }
      guard isAllowed(next) else {
        throw RegistryError.badAnswer(
          "'\(address.host)' redirects to http on '\(next.host)'; only https is followed.", status: answer.status,
          place: place)
      }
      address = next
    }
    throw RegistryError.badAnswer(
      "It redirects more than \(question.redirects) times.", place: question.place(question.address))
  }

  /// Time is measured by a real clock here: the network knows no other.
  private func sendOnce(_ question: Question, to address: WebAddress, token: BearerToken?) async throws -> Answer {
    let place = question.place(address)
    var request = HTTPClientRequest(url: address.text)
    request.headers.add(name: "User-Agent", value: configuration.userAgent)
    if let token { request.headers.add(name: "Authorization", value: token.authorization) }
    for header in question.headers { request.headers.add(name: header.name, value: header.value) }
    let isHome = address.origin == home("/").origin
    let leave = try await isHome ? configuration.admit?() : nil
    let answer: Answer
    do {
      answer = try await withDeadline(question.timeout) { [httpClient, request] in
        let response = try await httpClient.execute(request, deadline: .distantFuture)
        let status = Int(response.status.code)
        // The body of a failure says nothing that is used.
        let body = 200..<300 ~= status ? try await response.body.collect(upTo: question.limit) : ByteBuffer()
        return Answer(status: status, headers: response.headers, body: body, address: address)
      }
      leave?((answer.status, answer.headers))
    } catch {
      leave?(nil)
      if Task.isCancelled { throw CancellationError() }
      if error is NIOTooManyBytesError {
        throw RegistryError.tooLarge(question.limit, from: address.host, place: place)
      }
      // The library's own words help whoever debugs a network, and nobody else.
      logger.debug("module registry cannot be asked", metadata: ["call": "\(place)", "error": "\(error)"])
      throw RegistryError(transport: error, host: address.host, place: place)
    }
    switch answer.status {
    case 200..<300, 301, 302, 303, 307, 308, question.accepts: return answer
    default:
      throw RegistryError(
        status: answer.status, headers: answer.headers, from: address.host, place: place, sentToken: token != nil,
        notFound: question.notFound)
    }
  }
}

/// Requests with credentials: a connection, and who is speaking on it.
struct Session: Sendable {
  enum Authorizer: Sendable {
    case fixed(String)
    case renewed(TokenCache)
  }

  let connection: Connection
  let authorizer: Authorizer

  /// Sends `request` with the current token. After a 401 the token is renewed once and the request replayed once.
  func send(_ request: Request) async throws -> Answer {
    switch authorizer {
    case .fixed(let authorization):
      return try await connection.send(request, authorization: authorization)
    case .renewed(let tokens):
      // The token's own retries lie outside of the request's, so that they add up and do not multiply.
      let authorization = try await tokens.authorization()
      do {
        return try await connection.send(request, authorization: authorization)
      } catch let error as PortError where error.kind == .unauthorized {
        let renewed = try await tokens.authorization(insteadOf: authorization)
        return try await connection.send(request, authorization: renewed)
      }
    }
  }
}

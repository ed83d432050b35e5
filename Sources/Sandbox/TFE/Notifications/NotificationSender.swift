import AsyncHTTPClient
import Crypto
import FoundationEssentials
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle

/// Sends notifications, away from the runs that they tell of. Each is sent once: TFE documents no second attempt, and
/// what still waits when the server stops is not sent at all.
struct NotificationSender: Service {
  let state: TFEState
  let listening: Listening
  /// What goes wrong on purpose; nil for nothing.
  let faults: NotificationFaults?
  let logger: Logger
  private let held = HeldNotifications()

  /// Of the process, like the threads it runs on: it has no end of its own.
  private static let client = HTTPClient(
    eventLoopGroupProvider: .singleton,
    configuration: .init(
      redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5)), decompression: .disabled))
  private static let maximumBody = 4 << 10

  init(state: TFEState, listening: Listening, faults: NotificationFaults?, logger: Logger) {
    (self.state, self.listening, self.faults, self.logger) = (state, listening, faults, logger)
  }

  func run() async throws {
    // What ends it is a stop, or that the server cannot listen: in neither case is it a failure of its own.
    try? await cancelWhenGracefulShutdown {
      let base = try await listening.baseURL()
      await withDiscardingTaskGroup { group in
        for await id in state.outbox.filled {
          group.addTask { await sendAll(of: id, base: base) }
        }
      }
    }
  }

  private func sendAll(of id: String, base: String) async {
    await withDiscardingTaskGroup { late in
      while let notification = state.outbox.next(for: id) {
        guard !Task.isCancelled, let configuration = await state.notifications[id], configuration.isEnabled else {
          continue
        }
        // Whoever hears of a status may rely on it.
        guard (try? await state.settle()) != nil else { continue }
        let payload = notification.payload(
          organization: state.organization, base: base, hasTypes: state.features.projectNotifications)
        let send = { @Sendable in await deliver(payload, of: notification.runID, to: configuration) }
        switch fate(of: notification) {
        case .sent: await send()
        case .lost: continue
        case .doubled:
          await send()
          await send()
        case .late(let delay):
          late.addTask {
            try? await Task.sleep(for: delay)
            await send()
          }
          continue
        case .reordered(let patience):
          let ticket = held.hold(for: id)
          late.addTask {
            await ticket.wait(atMost: patience)
            await send()
          }
          continue
        }
        held.release(id)
      }
    }
  }

  private func fate(of notification: Notification) -> NotificationFaults.Fate {
    let fate = faults?.next() ?? .sent
    if fate != .sent {
      logger.warning(
        "fault dealt",
        metadata: [
          "fault": "\(fate)", "notification_configuration": "\(notification.configurationID)",
          "run.id": "\(notification.runID)",
        ])
    }
    return fate
  }

  private func deliver(_ payload: JSONValue, of runID: String, to configuration: NotificationConfiguration) async {
    guard !Task.isCancelled else { return }
    let delivery = await send(payload, to: configuration)
    if !delivery.isSuccessful {
      logger.warning(
        "a notification was not taken",
        metadata: [
          "notification_configuration": "\(configuration.id)", "run.id": "\(runID)",
          "status": "\(delivery.code ?? "none")",
        ])
    }
    await state.recordDelivery(delivery, of: configuration.id)
  }

  /// Asks the receiver whether it takes notifications, by a test payload.
  func verify(_ configuration: NotificationConfiguration) async -> NotificationConfiguration.Delivery {
    await send(Notification.verification(of: configuration), to: configuration)
  }

  private func send(
    _ payload: JSONValue, to configuration: NotificationConfiguration
  ) async -> NotificationConfiguration.Delivery {
    let sentAt = Timestamp.now()
    let body = payload.bytes
    var request = HTTPClientRequest(url: configuration.url)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    request.headers.add(name: "User-Agent", value: "terraform-enterprise-sandbox")
    if let token = configuration.token {
      let key = SymmetricKey(data: Data(token.utf8))
      request.headers.add(
        name: "X-TFE-Notification-Signature",
        value: hexadecimal(HMAC<SHA512>.authenticationCode(for: Data(body), using: key)))
    }
    request.body = .bytes(ByteBuffer(bytes: body))
    do {
      return try await answer(to: request, sentAt: sentAt)
    } catch {
      return .init(
        url: configuration.url, code: nil, headers: [:], body: Self.reason(error), sentAt: sentAt)
    }
  }

  private func answer(
    to request: HTTPClientRequest, sentAt: String
  ) async throws -> NotificationConfiguration.Delivery {
    let timeout = state.features.notificationTimeout
    return try await withThrowingTaskGroup(of: NotificationConfiguration.Delivery.self) { group in
      group.addTask {
        let response = try await Self.client.execute(request, deadline: .distantFuture)
        var body: [UInt8] = []
        for try await chunk in response.body {
          body += chunk.readableBytesView.prefix(Self.maximumBody - body.count)
          if body.count >= Self.maximumBody { break }
        }
        let headers = Dictionary(grouping: response.headers) { $0.name.lowercased() }.mapValues { $0.map(\.value) }
        return .init(
          url: request.url, code: String(response.status.code), headers: headers,
          body: String(decoding: body, as: UTF8.self), sentAt: sentAt)
      }
      group.addTask {
        try await Task.sleep(for: timeout)
        throw TimeOut()
      }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { throw TimeOut() }
      return first
    }
  }

  private struct TimeOut: Error {}

  /// For people. The address is beside it.
  private static func reason(_ error: any Error) -> String {
    switch error {
    case is TimeOut: "It did not answer in time."
    case let error as HTTPClientError: "It cannot be reached: \(error.shortDescription)."
    default: "It cannot be reached: \(error)."
    }
  }
}

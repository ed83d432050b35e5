import NIOCore
import Synchronization

/// Notices that a client has gone while it waits for its answer. Part of each connection's pipeline.
final class Departure: ChannelInboundHandler, RemovableChannelHandler, Sendable {
  typealias InboundIn = NIOAny

  private struct State {
    var isGone = false
    var next = 0
    var cancellations: [Int: @Sendable () -> Void] = [:]
  }

  private let state = Mutex(State())

  /// Does `work`, which is canceled when the client leaves.
  func canceling<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let task = Task { try await work() }
    let id = state.withLock { state in
      state.next += 1
      state.cancellations[state.next] = { task.cancel() }
      return state.next
    }
    defer { state.withLock { _ = $0.cancellations.removeValue(forKey: id) } }
    if state.withLock(\.isGone) { task.cancel() }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // A client that closes the connection closes its own side first: the channel itself is open until it is written to.
    if case .inputClosed? = event as? ChannelEvent { leave() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    leave()
    context.fireChannelInactive()
  }

  private func leave() {
    let cancellations = state.withLock { state in
      state.isGone = true
      return Array(state.cancellations.values)
    }
    for cancel in cancellations { cancel() }
  }
}

extension PorcContext {
  /// Does `work` for as long as the client waits for it: it is canceled when the client leaves.
  func whileClientWaits<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
    guard let departure = try? await channel.pipeline.handler(type: Departure.self).get() else {
      return try await work()
    }
    return try await departure.canceling(work)
  }
}

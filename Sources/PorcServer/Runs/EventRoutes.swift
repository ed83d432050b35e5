import Foundation
import HCL
import HTTPTypes
import Hummingbird
import NIOCore
import PorcCore
import PorcStore
import Synchronization

/// The events of a run, and those of all runs, instances and templates in their one order: as a page, or as a stream that
/// goes on.
struct EventRoutes: Sendable {
  let store: any Store
  let doorbell: Doorbell
  let streams: Limit
  private let texts = EventTexts()

  init(store: any Store, doorbell: Doorbell, streams: Limit) {
    self.store = store
    self.doorbell = doorbell
    self.streams = streams
  }

  func register(in routes: Routes) {
    routes.get("/runs/{run_id}/events", needs: .read) { request, context in
      let id = try context.runID
      guard let located = try await store.locate(id) else { throw RunRoutes.unknown(id) }
      try request.allowQuery("limit", "after")
      return try await events(request, context, of: .run(located.run.id))
    }
    routes.get("/events", needs: .read) { request, context in
      try request.allowQuery("limit", "after", "subject", "instance")
      return try await events(
        request, context,
        of: EventFilter(
          subject: try request.choice("subject", EventSubject.self),
          instance: request.query("instance").map { Instance.ID($0) }))
    }
  }

  private func events(_ request: Request, _ context: PorcContext, of filter: EventFilter) async throws -> Response {
    let limit = try request.query("limit", in: 1...1000, default: 200)
    let after = try await position(request)
    guard request.wantsEventStream else {
      let page = try await store.events(after: after, of: filter, limit: limit)
      if page.isEmpty { try await check(after) }
      return try .json(
        EventList(events: try page.map(EventBody.init), lastPosition: page.last?.position ?? after))
    }
    try await check(after)
    let (store, doorbell, streams, texts) = (store, doorbell, streams, texts)
    return .eventStream(holding: try streams.take(), while: context.isStillAllowed) { writer in
      var last = after
      // Whoever is cut off before the first event comes back to this place.
      try await writer.write(ByteBuffer(string: "id: \(after)\n\n"))
      while !doorbell.isOver {
        let seen = doorbell.count
        var page: [StoredEvent]
        repeat {
          page = try await store.events(after: last, of: filter, limit: limit)
          for event in page {
            try await writer.write(try texts.text(of: event))
            last = event.position
          }
          // Those who read what is long past make way for commands, the more of them there are.
          if page.count == limit { try await Task.sleep(for: .milliseconds(min(10 * streams.count, 1000))) }
        } while page.count == limit
        try await writer.keepAlive()
        await doorbell.wait(since: seen, upTo: .seconds(1))
        try Task.checkCancellation()
      }
    }
  }

  /// Whoever has seen more than there is would miss what comes: the database is another, or an earlier copy.
  private func check(_ after: Int64) async throws {
    guard after > 0 else { return }
    let last = try await store.lastPosition()
    guard after > last else { return }
    throw Fault(
      .notFound, "There is no event \(after); the last one is \(last).",
      fix:
        "The database is another than the one you read, or an earlier copy. Begin with after=0, or read the lists anew."
    )
  }

  /// `Last-Event-ID` of a stream that is resumed, else `after`; `now` is the last there is.
  private func position(_ request: Request) async throws -> Int64 {
    guard let text = request.headers[.lastEventID] ?? request.query("after") else { return 0 }
    if text == "now" { return try await store.lastPosition() }
    guard let position = Int64(text), position >= 0 else {
      throw Fault(
        .malformedRequest, "'\(text.prefix(40))' is no position of an event.",
        fix: "Send the last one you saw, or after=now to begin with what comes next.")
    }
    return position
  }
}

/// Events as they are streamed, which are the same for every reader.
private final class EventTexts: Sendable {
  private static let capacity = 4096
  private static let largest = 16 << 10
  private let known = Mutex<[Int64: ByteBuffer]>([:])

  func text(of event: StoredEvent) throws -> ByteBuffer {
    if let text = known.withLock({ $0[event.position] }) { return text }
    let body = try EventBody(event)
    let text = ServerSentEvent(
      id: String(event.position), event: body.type, data: try JSONEncoder.porc.encode(body)
    ).bytes
    // Outputs can be megabytes.
    guard text.readableBytes <= Self.largest else { return text }
    known.withLock { known in
      if known.count >= Self.capacity { known.removeAll(keepingCapacity: true) }
      known[event.position] = text
    }
    return text
  }
}

extension RunEvent {
  /// Idempotency keys are their callers' own business.
  fileprivate var withoutKey: RunEvent {
    switch self {
    case .planRequested(var request):
      request.key = nil
      return .planRequested(request: request)
    case .planStarted(let number, var request, let clears):
      request.key = nil
      return .planStarted(number: number, request: request, clears: clears)
    default: return self
    }
  }
}

extension EventBody {
  init(_ stored: StoredEvent) throws {
    self.init(
      position: stored.position, runID: stored.run?.rawValue, instance: stored.instance?.rawValue,
      template: stored.template?.rawValue, at: stored.at, type: stored.name, data: try Self.data(of: stored.event))
  }

  private static func data(of event: StoredEvent.Event) throws -> Value {
    switch event {
    case .run(let event):
      let encoded = try JSONEncoder.porc.encode(event.withoutKey)
      return try JSONDecoder.porc.decode(Value.self, from: encoded)[event.name] ?? .object([:])
    case .other(_, let data): return data
    }
  }
}

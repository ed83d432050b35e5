import Retry
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct DeadlineTests {
  struct Broken: Error {}

  @Test func whatIsDoneInTimeIsReturned() async throws {
    #expect(try await withDeadline(.seconds(60)) { 7 } == 7)
  }

  @Test func whatTakesTooLongIsCancelled() async {
    let (ended, end) = AsyncStream.makeStream(of: Bool.self)
    await #expect(throws: DeadlineExceeded(limit: .seconds(5))) {
      try await withDeadline(.seconds(5), clock: TestClock()) {
        defer { end.yield(Task.isCancelled) }
        try await Task.sleep(for: .seconds(3600))
      }
    }
    #expect(await ended.first { _ in true } == true)
  }

  @Test func theOperationsOwnErrorComesThrough() async {
    await #expect(throws: Broken.self) {
      try await withDeadline(.seconds(60)) { throw Broken() }
    }
  }

  @Test func cancellingTheCallerCancelsTheOperation() async {
    let (started, start) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      try await withDeadline(.seconds(3600)) {
        start.yield()
        try await Task.sleep(for: .seconds(3600))
      }
    }
    _ = await started.first { true }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}

/// Lets one caller at a time do its work; the others wait their turn.
actor AsyncTurn {
  private var last: Task<Void, any Error>?
  private var tasks: [Int: Task<Void, any Error>] = [:]
  private var next = 0
  /// What waits for its turn and may be waited for by others.
  private var shared: (number: Int, task: Task<Void, any Error>)?

  /// Ends what is being done, and whatever waits for its turn: they throw `CancellationError`.
  func cancel() {
    for task in tasks.values { task.cancel() }
  }

  /// Does `work` when it is its turn.
  func take(_ work: @escaping @Sendable () async throws -> Void) async throws {
    try await run(begin(work).1)
  }

  /// As `take`, but if such work waits for its turn already, it is done for this caller too: it begins later than this
  /// call, which is all that a caller who looks at something can ask for.
  func share(_ work: @escaping @Sendable () async throws -> Void) async throws {
    if let shared { return try await shared.task.value }
    let (number, task) = begin(work)
    shared = (number, task)
    try await run(task)
  }

  private func begin(
    _ work: @escaping @Sendable () async throws -> Void
  ) -> (Int, Task<Void, any Error>) {
    let before = last
    next += 1
    let number = next
    let task = Task {
      defer { tasks[number] = nil }
      _ = await before?.result
      if shared?.number == number { shared = nil }
      try Task.checkCancellation()
      try await work()
    }
    last = task
    tasks[number] = task
    return (number, task)
  }

  private func run(_ task: Task<Void, any Error>) async throws {
    try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }
}

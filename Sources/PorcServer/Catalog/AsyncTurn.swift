/// Lets one caller at a time do its work; the others wait their turn.
actor AsyncTurn {
  private var last: Task<Void, any Error>?
  private var tasks: [Int: Task<Void, any Error>] = [:]
  private var next = 0

  /// Ends what is being done, and whatever waits for its turn: they throw `CancellationError`.
  func cancel() {
    for task in tasks.values { task.cancel() }
  }

  func take(_ work: @escaping @Sendable () async throws -> Void) async throws {
    let before = last
    let task = Task {
      _ = await before?.result
      try Task.checkCancellation()
      try await work()
    }
    next += 1
    let number = next
    last = task
    tasks[number] = task
    defer { tasks[number] = nil }
    try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }
}

/// Lets one caller at a time do its work; the others wait their turn.
actor AsyncTurn {
  private var last: Task<Void, any Error>?
  /// What may be canceled.
  private var tasks: [Int: Task<Void, any Error>] = [:]
  private var next = 0
  /// What waits for its turn and may be waited for by others.
  private var shared: (number: Int, task: Task<Void, any Error>)?

  /// Does `work` when it is its turn; it is canceled with the caller.
  func take(_ work: @escaping @Sendable () async throws -> Void) async throws {
    let before = last
    let task = Task {
      _ = await before?.result
      try Task.checkCancellation()
      try await work()
    }
    last = task
    try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  /// Ends what was begun with `share`, under way or waiting: it throws `CancellationError`. Then does `work`, which nothing
  /// cancels: neither another call of this, nor that the caller is canceled.
  func clear(_ work: @escaping @Sendable () async throws -> Void) async throws {
    for task in tasks.values { task.cancel() }
    // Who comes from now on begins after `work`.
    shared = nil
    let before = last
    let task = Task {
      _ = await before?.result
      try await work()
    }
    last = task
    try await task.value
  }

  /// Does `work` when it is its turn. If such work waits for its turn already, it is done for this caller too: it begins
  /// later than this call, which is all that a caller who looks at something can ask for.
  ///
  /// - Throws: what `work` throws; `CancellationError` also if whoever began it, or `clear`, has ended it.
  func share(_ work: @escaping @Sendable () async throws -> Void) async throws {
    if let shared { return try await shared.task.value }
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
    shared = (number, task)
    try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }
}

import ServiceLifecycle

/// Lets the steps between plan and apply last as long as the policy file says. What is under way when the server stops
/// is begun again after the next start.
struct CheckTimer: Service {
  let state: TFEState

  func run() async throws {
    await withDiscardingTaskGroup { group in
      for await timed in state.timedChecks.cancelOnGracefulShutdown() {
        group.addTask {
          let isOver: Void? = try? await cancelWhenGracefulShutdown {
            try await Task.sleep(for: .milliseconds(timed.milliseconds))
          }
          if isOver != nil { await state.concludeCheck(timed) }
        }
      }
    }
    try await state.settle()
  }
}

import Dispatch

/// Threads of their own for the reading of modules, which takes seconds of nothing but computing for a large one: requests,
/// and the removal of the very source that is being read, don't wait for it.
final class ReadingExecutor: TaskExecutor {
  private let queue = DispatchQueue(label: "porc.modules", qos: .utility, attributes: .concurrent)

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
  }
}

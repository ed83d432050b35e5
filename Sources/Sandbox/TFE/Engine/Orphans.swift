import FoundationEssentials
import Glibc
import Logging

/// Terraform processes that outlived a sandbox that was killed.
enum Orphans {
  /// Interrupts every process that works in a run's folder, so that it can save its state, and kills what is still
  /// there after `grace`. Returns when none is left.
  static func end(in runs: String, grace: Duration, logger: Logger) async {
    let orphans = processes(in: runs)
    guard !orphans.isEmpty else { return }
    logger.warning("ending processes left by an earlier sandbox", metadata: ["count": "\(orphans.count)"])
    for process in orphans { kill(process, SIGINT) }
    let deadline = ContinuousClock.now + grace
    while ContinuousClock.now < deadline, !processes(in: runs).isEmpty { try? await Task.sleep(for: .milliseconds(50)) }
    for process in processes(in: runs) { kill(process, SIGKILL) }
  }

  private static func processes(in folder: String) -> [pid_t] {
    guard let folder = realpath(folder, nil) else { return [] }
    defer { free(folder) }
    let prefix = String(cString: folder) + "/"
    return Files.names(in: "/proc").compactMap { pid_t($0) }.filter { process in
      let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
      return place?.hasPrefix(prefix) ?? false
    }
  }
}

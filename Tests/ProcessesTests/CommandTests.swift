import Foundation
import Processes
import Synchronization
import Testing

/// What a program said so far, with a way to wait for a line.
private actor Transcript {
  private(set) var lines: [String] = []
  private var waiters: [(String, CheckedContinuation<Void, Never>)] = []

  func add(_ line: String) {
    lines.append(line)
    for (_, waiter) in waiters.filter({ $0.0 == line }) { waiter.resume() }
    waiters.removeAll { $0.0 == line }
  }

  func wait(for line: String) async {
    if lines.contains(line) { return }
    await withCheckedContinuation { waiters.append((line, $0)) }
  }
}

private func shell(_ script: String, grace: Duration = .seconds(10)) -> Command {
  Command("sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin"], grace: grace)
}

/// Whether a process of that number exists, as a zombie too.
private func exists(_ process: String) -> Bool { FileManager.default.fileExists(atPath: "/proc/\(process)") }

@Suite(.timeLimit(.minutes(1))) struct CommandTests {
  @Test func theStreamsAndTheExitCodeComeBack() async throws {
    let result = try await shell("echo out; echo err >&2; exit 3").capture()
    #expect(result.status == .exited(3))
    #expect(result.outputText == "out\n")
    #expect(result.errorText == "err\n")
    #expect(!result.isTruncated && !result.status.isSuccess)
  }

  @Test func nothingIsInheritedButWhatIsGiven() async throws {
    var command = shell("env; pwd")
    command.environment["GIVEN"] = "yes=1"
    command.workingDirectory = "/usr"
    let lines = Set(try await command.capture().outputText.split(separator: "\n"))
    #expect(lines.subtracting(["_=/usr/bin/env"]) == ["GIVEN=yes=1", "PATH=/usr/bin:/bin", "PWD=/usr", "/usr"])
  }

  @Test func aLongOutputIsCutOffAndTheProgramGoesOn() async throws {
    let result = try await shell("head -c 3000000 /dev/zero; echo done >&2").capture(limit: 1000)
    #expect(result.status.isSuccess && result.isTruncated)
    #expect(result.standardOutput.count == 1000)
    #expect(result.errorText == "done\n")
  }

  @Test func linesOfBothStreamsComeInOrder() async throws {
    let transcript = Transcript()
    let status = try await shell("echo a; echo b >&2; printf 'c d\\n\\ne'").run { await transcript.add($0) }
    #expect(status.isSuccess)
    #expect(await transcript.lines == ["a", "b", "c d", "", "e"])
  }

  @Test func noStandardInputIsWaitedFor() async throws {
    #expect(try await shell("cat; echo end").capture().outputText == "end\n")
  }

  @Test func theWholeInputIsReadAndTheOutputComesInChunks() async throws {
    var command = shell("wc -c >&2; echo out")
    command.standardInput = [UInt8](repeating: 7, count: 3_000_000)
    let result = try await command.stream { #expect($0 == Array("out\n".utf8)) }
    #expect(result.status.isSuccess)
    #expect(result.errorText == "3000000\n")
  }

  @Test func theEndOfALongErrorIsKept() async throws {
    let result = try await shell("head -c 3000000 /dev/zero >&2; echo why >&2").stream(errorLimit: 10) { _ in }
    #expect(result.errorText == "\0\0\0\0\0\0why\n")
  }

  @Test func whoeverDislikesTheOutputEndsTheProgram() async throws {
    struct Dislike: Error {}
    await #expect(throws: Dislike.self) {
      _ = try await shell("trap '' INT; echo out; sleep 600; sleep 600").stream { _ in throw Dislike() }
    }
  }

  @Test func noFileGrowsBeyondItsLimit() async throws {
    let file = NSTemporaryDirectory() + "/processes-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: file) }
    var command = shell("exec head -c 100000 /dev/zero > \(file)")
    command.limits.fileBytes = 50_000
    #expect(try await command.capture().status == .signaled(SIGXFSZ))
    let size = try #require(try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int)
    #expect(size == 50_176)
  }

  @Test func memoryIsLimited() async throws {
    var command = shell("ulimit -v; ulimit -f")
    command.limits = ResourceLimits(memoryBytes: 100 << 20)
    #expect(try await command.capture().outputText == "102400\nunlimited\n")
  }

  @Test func aProgramThatIsNotThereIsNamed() async throws {
    let error = await #expect(throws: ProcessError.self) { try await Command("no-such-program").capture() }
    #expect(error?.description.contains("'no-such-program'") == true)
    let path = await #expect(throws: ProcessError.self) { try await Command("/no/such/program").capture() }
    #expect(path?.description.contains("'/no/such/program'") == true)
  }

  @Test func aMissingFolderIsAnError() async throws {
    var command = shell("true")
    command.workingDirectory = "/no/such/folder"
    await #expect(throws: ProcessError.self) { try await command.capture() }
  }

  @Test func whatIsSaidAfterAnInterruptIsNotLost() async throws {
    let stop = StopSignal()
    let transcript = Transcript()
    let status = try await shell(
      "trap 'echo interrupted; echo saved; exit 7' INT; echo ready; while :; do sleep 0.05; done"
    ).run(stop: stop) { line in
      await transcript.add(line)
      if line == "ready" { stop.interrupt() }
    }
    #expect(status == .exited(7))
    #expect(await transcript.lines == ["ready", "interrupted", "saved"])
  }

  @Test func cancellingTheTaskInterruptsAndStillReadsToTheEnd() async throws {
    let transcript = Transcript()
    let task = Task {
      try await shell("trap 'echo saved; exit 7' INT; echo ready; while :; do sleep 0.05; done").run {
        await transcript.add($0)
      }
    }
    await transcript.wait(for: "ready")
    task.cancel()
    #expect(try await task.value == .exited(7))
    #expect(await transcript.lines == ["ready", "saved"])
  }

  @Test(.timeLimit(.minutes(1))) func aStubbornProgramIsKilledAfterTheGraceTimeWithItsChildren() async throws {
    let transcript = Transcript()
    let task = Task {
      try await shell(
        "trap '' INT; sh -c 'trap \"\" INT; echo $$; while :; do sleep 0.05; done' & echo $$; echo ready; wait",
        grace: .milliseconds(300)
      ).run { await transcript.add($0) }
    }
    await transcript.wait(for: "ready")
    while await transcript.lines.count < 3 { await Task.yield() }
    let start = ContinuousClock.now
    task.cancel()
    #expect(try await task.value == .signaled(9))
    #expect(ContinuousClock.now - start >= .milliseconds(300))
    for process in await transcript.lines where process != "ready" { await end(of: process) }
  }

  @Test(.timeLimit(.minutes(1))) func aChildLeftBehindIsKilledAndHoldsNothingUp() async throws {
    let result = try await shell("sleep 600 & echo $!").capture()
    #expect(result.status.isSuccess)
    let process = result.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(!process.isEmpty)
    await end(of: process)
  }

  /// Returns once a killed process is gone: the system takes a moment to end one.
  private func end(of process: String) async {
    while exists(process), !isZombie(process) { await Task.yield() }
  }

  @Test func aProgramThatClosedItsOutputIsWaitedForAndCanBeStopped() async throws {
    let stop = StopSignal()
    let flag = NSTemporaryDirectory() + "/processes-" + UUID().uuidString
    let task = Task {
      try await shell("trap 'exit 5' INT; exec >&- 2>&-; : > \(flag); while :; do sleep 0.05; done").run(stop: stop) {
        (_: [UInt8]) in
      }
    }
    while !FileManager.default.fileExists(atPath: flag) { await Task.yield() }
    stop.interrupt()
    #expect(try await task.value == .exited(5))
    try FileManager.default.removeItem(atPath: flag)
  }

  @Test func aWishToStopReachesAProgramThatIsStartedLater() async throws {
    let stop = StopSignal()
    stop.kill()
    #expect(stop.isRequested)
    #expect(try await shell("sleep 600").capture(stop: stop).status == .signaled(9))
  }

  @Test func noZombieIsLeft() async throws {
    let numbers = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<20 { group.addTask { try await shell("echo $$").capture().outputText } }
      return try await group.reduce(into: []) { $0.append($1.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
    #expect(numbers.count == 20)
    for number in numbers { #expect(!exists(number)) }
  }

  @Test func aProgramIsFoundOnAPath() {
    #expect(Command.find("sh", path: "/no/where:/bin:/usr/bin") == "/bin/sh")
    #expect(Command.find("sh", path: "/no/where") == nil)
    #expect(Command.find("sh", path: "") == nil)
    #expect(Command.find("/bin/sh", path: "") == "/bin/sh")
    #expect(Command.find("passwd", path: "/etc") == nil)
    #expect(Command.find("") == nil)
    #expect(Command.find("sh") != nil)
  }

  /// Should this process be gone by then, nobody else would end it.
  @Test func aProgramEndsByItselfWhenItsTimeIsUp() async throws {
    var command = shell("sleep 60 & wait; echo over")
    command.limits.seconds = 1
    let result = try await command.capture()
    #expect(result.status == .exited(124) && result.outputText.isEmpty)
    command.arguments = ["-c", "exit 3"]
    #expect(try await command.capture().status == .exited(3))
  }
}

/// A killed child of our child belongs to init, which may not have reaped it yet.
private func isZombie(_ process: String) -> Bool {
  let status = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ") Z"
  return status.split(separator: ")").last?.hasPrefix(" Z") ?? true
}

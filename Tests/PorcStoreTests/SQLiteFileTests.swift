import Foundation
import GRDB
import HCL
import PorcCore
import TestKit
import Testing

@testable import PorcStore

/// The file that the store lives in.
@Suite struct SQLiteFileTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("porc.sqlite").path
  }

  private func problem(_ open: () throws -> SQLiteStore) throws -> String {
    let error = try #require(#expect(throws: StoreError.self) { try open() })
    guard case .unusable(let message, let fix) = error else { return "\(error)" }
    #expect(!fix.isEmpty)
    return message
  }

  @Test func whatWasRecordedIsThereAfterReopening() async throws {
    let store = try SQLiteStore.open(path: path)
    let recorded = try await store.submit("vm", as: "porc-1")
    try await store.close()

    let again = try SQLiteStore.open(path: path)
    #expect(try await again.situation(of: Instance.ID("vm")) == recorded.situation)
    #expect(try await again.events(after: 0, of: .all, limit: 10).compactMap(\.fact) == recorded.facts)
    try await again.submit("vm", as: "porc-2")
    #expect(try await again.lastPosition() == 3, "two submissions, and an instance")
  }

  /// A server answers from memory where it alone writes; whoever opens the file beside it must see the same.
  @Test(arguments: 0..<8 as Range<UInt64>)
  func whatIsKeptInMemoryIsWhatIsInTheFile(seed: UInt64) async throws {
    let store = try SQLiteStore.open(path: path)
    let beside = try SQLiteStore.open(path: path, exclusively: false)
    var random = SplitMix(seed: seed)
    var runs: [String] = []
    for number in 0..<60 {
      if runs.isEmpty || Bool.random(using: &random) {
        runs.append("porc-\(number)")
        try await store.submit("vm-\(Int.random(in: 0..<4, using: &random))", as: "porc-\(number)")
      } else if let run = runs.randomElement(using: &random) {
        let command: RunCommand =
          [.build, .plan(PlanRequest(by: .anna)), .cancel(by: .anna)].randomElement(using: &random) ?? .build
        // What the state forbids changes nothing, and that is to be seen as well.
        _ = try? await store.decide(about: .run(run), recording: Record()) { situation, now in
          guard let situation else { throw StoreError.notFound }
          return try RunMachine.decide(command, for: Run.ID(run), in: situation, at: now)
        }
      }
      guard let run = runs.randomElement(using: &random) else { continue }
      let (mine, theirs) = (try await store.locate(run), try await beside.locate(run))
      #expect(mine?.run == theirs?.run && mine?.version == theirs?.version, "seed \(seed), \(run)")
      #expect(mine?.situation.instance == theirs?.situation.instance, "seed \(seed), \(run)")
      let shown = theirs?.situation.runs ?? [:]
      #expect(shown.allSatisfy { mine?.situation.runs[$0.key] == $0.value }, "seed \(seed), \(run)")
    }
    try await beside.close()
    try await store.close()
  }

  /// A worker may lease the job of a decision before whoever decided hears that it is recorded.
  @Test func whoeverLeasesAJobSeesWhatCalledForIt() async throws {
    let store = try SQLiteStore.open(path: path)
    let jobs = 300
    for number in 0..<jobs { try await store.submit("vm-\(number)", as: "porc-\(number)") }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        var seen = 0
        while seen < jobs {
          for lease in try await store.claim(worker: "w", for: 60, limit: 1) {
            #expect(try await store.locate(lease.run.rawValue)?.run.state == .building)
            seen += 1
          }
        }
      }
      for number in 0..<jobs {
        group.addTask {
          try await store.decide(about: .run("porc-\(number)"), recording: Record()) { situation, now in
            guard let situation else { throw StoreError.notFound }
            return try RunMachine.decide(.build, for: Run.ID("porc-\(number)"), in: situation, at: now)
          }
        }
      }
      try await group.waitForAll()
    }
    try await store.close()
  }

  @Test func whatWasCommittedIsThereWithoutClosing() async throws {
    let store = try SQLiteStore.open(path: path)
    try await store.submit("vm", as: "porc-1")
    // As after a crash: the files as they are at this moment.
    let copy = folder.file("copy.sqlite").path
    for suffix in ["", "-wal"] { try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix) }
    #expect(try await SQLiteStore.open(path: copy).locate("porc-1") != nil)
    try await store.close()
  }

  @Test func workOfADeadServerGoesOnAtTheNextStart() async throws {
    let dead = try SQLiteStore.open(path: path)
    try await dead.submit("vm", as: "porc-1")
    try await dead.decide(about: .run("porc-1"), recording: Record()) { situation, now in
      try RunMachine.decide(.build, for: Run.ID("porc-1"), in: try #require(situation), at: now)
    }
    #expect(try await dead.claim(worker: "dead", for: 3600, limit: 1).count == 1)
    #expect(try await dead.claim(worker: "other", for: 3600, limit: 1).isEmpty)
    try await dead.close()

    let next = try SQLiteStore.open(path: path)
    #expect(try await next.claim(worker: "next", for: 3600, limit: 1).map(\.kind) == [.build])
    // A tool beside the server takes nothing away from it.
    try await SQLiteStore.open(path: path, exclusively: false).close()
    #expect(try await next.claim(worker: "other", for: 3600, limit: 1).isEmpty)
    try await next.close()
  }

  @Test func theFileAloneHoldsEverythingAfterClosing() async throws {
    let store = try SQLiteStore.open(path: path)
    try await store.submit("vm", as: "porc-1")
    try await store.close()
    let copy = folder.file("copy.sqlite").path
    try FileManager.default.copyItem(atPath: path, toPath: copy)
    #expect(try await SQLiteStore.open(path: copy).locate("porc-1") != nil)
  }

  @Test func folderAndFilesAreForTheirOwnerOnly() async throws {
    let path = folder.file("new/data/porc.sqlite").path
    let store = try SQLiteStore.open(path: path)
    try await store.submit("vm", as: "porc-1")
    func mode(_ path: String) throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
    #expect(try mode(folder.file("new/data").path) == 0o700)
    for suffix in ["", "-wal", "-shm", ".lock"] { #expect(try mode(path + suffix) == 0o600) }
  }

  @Test func oneServerServesAFile() async throws {
    let server = try SQLiteStore.open(path: path)
    #expect(try problem { try SQLiteStore.open(path: path) }.contains("\(path).lock"))
    let tool = try SQLiteStore.open(path: path, exclusively: false)
    try await tool.createToken(
      TokenRecord(id: "t", name: "laptop", scopes: [.read], createdAt: Bench.start), hash: Data([1]))
    #expect(try await server.token(hash: Data([1]))?.name == "laptop")
    try await tool.close()
    try await server.close()
    try await SQLiteStore.open(path: path).close()
  }

  @Test func aDatabaseThatSomebodyLocksSaysSo() async throws {
    let store = try SQLiteStore.open(path: path)
    try await store.checkWritable()
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true  // one that stays open
    let shell = try DatabaseQueue(path: path, configuration: configuration)
    try await shell.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
    let error = try #require(await #expect(throws: StoreError.self) { try await store.checkWritable() })
    #expect("\(error)".contains("Another process keeps the database"), "\(error)")
    try await shell.writeWithoutTransaction { try $0.rollback() }
    try await store.checkWritable()
    #expect(try await store.catalogVersion() == 0)
    try await store.close()
  }

  @Test func aLinkIsNoSecondDatabase() async throws {
    let server = try SQLiteStore.open(path: path)
    let link = folder.file("link.sqlite").path
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    #expect(try problem { try SQLiteStore.open(path: link) }.contains("Another PORC serves"))
    try await server.close()
    try await SQLiteStore.open(path: link).close()

    let hard = folder.file("hard.sqlite").path
    try FileManager.default.linkItem(atPath: path, toPath: hard)
    #expect(try problem { try SQLiteStore.open(path: hard) }.contains("has 2 names"))
    #expect(try problem { try SQLiteStore.open(path: path) }.contains("has 2 names"))
    try FileManager.default.removeItem(atPath: hard)
    try await SQLiteStore.open(path: path).close()
  }

  /// A child has one between its fork and its exec.
  @Test func aCopyOfTheDescriptorKeepsNoLock() throws {
    let file = folder.file("porc.sqlite.lock").path
    let lock = try FileLock(path: file)
    let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    let own = try #require(
      descriptors.first { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == file })
    let copy = dup(try #require(Int32(own)))
    lock.release()
    try FileLock(path: file).release()
    close(copy)
  }

  @Test func aToolMakesTheDatabaseButNeverMigratesItUnderAServer() async throws {
    try await SQLiteStore.open(path: path, exclusively: false).close()
    try patch(userVersion: 0, applicationID: 0x504F_5243)
    let lock = try FileLock(path: path + ".lock")
    #expect(try problem { try SQLiteStore.open(path: path, exclusively: false) }.contains("Another PORC serves"))
    lock.release()
  }

  @Test func aDatabaseOfANewerPORCIsRefused() async throws {
    try await SQLiteStore.open(path: path).close()
    try patch(userVersion: UInt32(Migration.newest + 1), applicationID: 0x504F_5243)
    #expect(try problem { try SQLiteStore.open(path: path) }.contains("newer PORC"))
    try patch(userVersion: UInt32(Migration.newest), applicationID: 0x504F_5243)
    try await SQLiteStore.open(path: path).close()
  }

  @Test func whatIsNoDatabaseOfOursIsRefused() async throws {
    try folder.write(String(repeating: "This is a diary. ", count: 500), to: "diary.txt")
    #expect(try problem { try SQLiteStore.open(path: folder.file("diary.txt").path) }.contains("is not a database"))
    #expect(try problem { try SQLiteStore.open(path: folder.path) }.contains("cannot be written"))
    #expect(
      try problem { try SQLiteStore.open(path: folder.file("diary.txt/x/porc.sqlite").path) }.contains("The folder"))

    try await SQLiteStore.open(path: path).close()
    try patch(userVersion: 1, applicationID: 7)
    #expect(try problem { try SQLiteStore.open(path: path) }.contains("another program"))
  }

  /// Root may write what nobody may.
  @Test(.enabled(if: geteuid() != 0))
  func aFileThatCannotBeWrittenIsRefused() async throws {
    try await SQLiteStore.open(path: path).close()
    try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: path)
    #expect(try problem { try SQLiteStore.open(path: path) }.contains("cannot be written"))
  }

  @Test func sensitiveValuesAreNeverInTheFile() async throws {
    let marker = "correct-horse-battery-staple"
    let vault = try InputVault(key: Data(repeating: 1, count: 32))
    let store = try SQLiteStore.open(
      path: path, settings: Bench.settings(Bench.Clock()))
    let run = Run.ID("porc-1")
    let sealed = try vault.seal(["password": .string(marker)], for: run)
    try await store.decide(
      about: .instance(Instance.ID("vm")), recording: Record(sealedInputs: .init(run: run, bytes: sealed))
    ) { situation, now in
      var submission = Submission.sample("vm", inputs: ["plain": "visible-in-the-file"])
      submission.sensitiveInputs = ["password"]
      submission.sensitiveDigest = vault.digest(["password": .string(marker)])
      return try RunMachine.submit(submission, as: run, for: Instance.ID("vm"), in: situation, at: now)
    }
    func contains(_ text: String) throws -> Bool {
      for file in [path, path + "-wal"] where FileManager.default.fileExists(atPath: file) {
        if try Data(contentsOf: URL(filePath: file)).range(of: Data(text.utf8)) != nil { return true }
      }
      return false
    }
    #expect(try contains("visible-in-the-file"))
    #expect(try !contains(marker))
    let read = try #require(try await store.sealedInputs(of: run))
    #expect(try vault.open(read, of: run) == ["password": .string(marker)])
    try await store.close()
    #expect(try contains("visible-in-the-file"))
    #expect(try !contains(marker))
  }

  /// Writes into the header of a closed database (https://www.sqlite.org/fileformat.html#the_database_header).
  private func patch(userVersion: UInt32, applicationID: UInt32) throws {
    let file = try FileHandle(forUpdating: URL(filePath: path))
    for (offset, number) in [(60, userVersion), (68, applicationID)] as [(UInt64, UInt32)] {
      try file.seek(toOffset: offset)
      try file.write(contentsOf: withUnsafeBytes(of: number.bigEndian) { Data($0) })
    }
    try file.close()
  }
}

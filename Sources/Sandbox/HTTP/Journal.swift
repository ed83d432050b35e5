import Dispatch
import Glibc
import Synchronization

/// A durable map of small documents, `(kind, id)` to bytes: an append-only file of lines, replayed when opened and
/// rewritten when most of it is out of date.
///
/// Writers change their own memory, `put` what changed (which only queues it, in order), and await `settle()` before
/// they answer: everything queued by then is on the disk. Writers who settle at the same moment share one sync.
///
/// A line is `kind TAB id TAB document LF`; without a document it removes. Documents have no line feed, as compact JSON has none.
final class Journal: Sendable {
  struct Key: Hashable, Sendable {
    let kind: String
    let id: String
  }

  private struct State {
    var live: [Key: [UInt8]]
    var liveBytes: Int
    var fileBytes: Int
    var pending: [UInt8] = []
    var isWriting = false
    var waiters: [CheckedContinuation<Void, any Error>] = []
    var failure: (any Error)?
  }

  private let path: String
  private let state: Mutex<State>
  /// The only place that touches the file, so that no task waits for the disk on a shared thread.
  private let queue = DispatchQueue(label: "journal")
  private let file: Mutex<Int32>

  /// Below this size the file is not worth rewriting.
  private static let minimumRewrite = 4 << 20

  /// Opens the file, or creates it, private to its owner. A last line that a crash cut short is dropped.
  init(path: String) throws {
    self.path = path
    let content = try DurableFile.read(path) ?? []
    let end = content.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    var live: [Key: [UInt8]] = [:]
    for line in content[..<end].split(separator: 0x0A) {
      let parts = line.split(separator: 0x09, maxSplits: 2, omittingEmptySubsequences: false)
      // Zeros that a crash of the machine may leave where a line was to be are no line.
      guard parts.count == 3, parts[0].first != 0 else { continue }
      let key = Key(kind: String(decoding: parts[0], as: UTF8.self), id: String(decoding: parts[1], as: UTF8.self))
      live[key] = parts[2].isEmpty ? nil : Array(parts[2])
    }
    let liveBytes = live.reduce(0) { $0 + Self.size($1.key, $1.value) }
    state = Mutex(State(live: live, liveBytes: liveBytes, fileBytes: end))
    file = Mutex(-1)
    let handle = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard handle >= 0 else { throw DurableFile.Failure("open", path) }
    file.withLock { $0 = handle }
    guard ftruncate(handle, off_t(end)) == 0, lseek(handle, 0, SEEK_END) >= 0 else {
      throw DurableFile.Failure("truncate", path)
    }
    try DurableFile.syncFolder(of: path)
  }

  deinit {
    file.withLock { _ = close($0) }
  }

  /// All documents of a kind, in no order.
  func documents(_ kind: String) -> [[UInt8]] {
    state.withLock { state in state.live.filter { $0.key.kind == kind }.map(\.value) }
  }

  /// Sets a document.
  func put(_ kind: String, _ id: String, _ document: [UInt8]) { change(Key(kind: kind, id: id), document) }

  /// Removes a document; does nothing where there is none.
  func remove(_ kind: String, _ id: String) { change(Key(kind: kind, id: id), nil) }

  private func change(_ key: Key, _ document: [UInt8]?) {
    state.withLock { state in
      if let old = state.live[key] { state.liveBytes -= Self.size(key, old) }
      state.live[key] = document
      if let document { state.liveBytes += Self.size(key, document) }
      state.pending += Self.line(key, document ?? [])
    }
  }

  /// Returns when everything put and removed so far is on the disk. Throws what kept it from there; after that the
  /// journal takes nothing more, since what follows could not be told from what is missing.
  func settle() async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      let (start, result): (Bool, Result<Void, any Error>?) = state.withLock { state in
        if let failure = state.failure { return (false, .failure(failure)) }
        if state.pending.isEmpty, !state.isWriting { return (false, .success(())) }
        state.waiters.append(continuation)
        defer { state.isWriting = true }
        return (!state.isWriting, nil)
      }
      if let result { continuation.resume(with: result) }
      if start { queue.async { self.drain() } }
    }
  }

  /// Writes batches until nothing is queued.
  private func drain() {
    while true {
      let batch: (bytes: [UInt8], waiters: [CheckedContinuation<Void, any Error>], live: [Key: [UInt8]]?)? =
        state.withLock { state in
          guard !state.pending.isEmpty || !state.waiters.isEmpty else {
            state.isWriting = false
            return nil
          }
          defer { (state.pending, state.waiters) = ([], []) }
          state.fileBytes += state.pending.count
          let isWorthRewriting = state.fileBytes > max(Self.minimumRewrite, 4 * state.liveBytes)
          if isWorthRewriting { state.fileBytes = state.liveBytes }
          return (state.pending, state.waiters, isWorthRewriting ? state.live : nil)
        }
      guard let batch else { return }
      let result = Result<Void, any Error> {
        if let live = batch.live {
          try rewrite(live)
        } else if !batch.bytes.isEmpty {
          try file.withLock { file in
            try DurableFile.writeAll(batch.bytes, to: file, path: path)
            guard fdatasync(file) == 0 else { throw DurableFile.Failure("fdatasync", path) }
          }
        }
      }
      if case .failure(let error) = result { state.withLock { $0.failure = error } }
      for waiter in batch.waiters { waiter.resume(with: result) }
    }
  }

  private func rewrite(_ live: [Key: [UInt8]]) throws {
    var bytes: [UInt8] = []
    for (key, document) in live { bytes += Self.line(key, document) }
    try DurableFile.write(bytes, to: path)
    let handle = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
    guard handle >= 0 else { throw DurableFile.Failure("open", path) }
    file.withLock { file in
      close(file)
      file = handle
    }
  }

  private static func line(_ key: Key, _ document: [UInt8]) -> [UInt8] {
    var line = Array(key.kind.utf8)
    line.append(0x09)
    line += key.id.utf8
    line.append(0x09)
    line += document
    line.append(0x0A)
    return line
  }

  private static func size(_ key: Key, _ document: [UInt8]) -> Int {
    key.kind.utf8.count + key.id.utf8.count + document.count + 3
  }
}

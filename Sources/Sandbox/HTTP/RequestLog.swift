import FoundationEssentials
import Glibc
import Synchronization

/// What a sandbox was asked: one record a request, in the order in which they were answered, each written before its
/// answer is. Kept in memory, the newest 20,000 records and 32 MiB of bodies, and in a file of JSON lines, which
/// starts anew (with one old generation kept) at 64 MiB. What was asked before a restart is read back from the file's
/// last 32 MiB.
///
/// A record never holds the `Authorization` header, nor what `RequestMask` calls a secret.
public final class RequestLog: Sendable {
  /// One request and the status of its answer.
  public struct Record: Sendable, Codable {
    /// Counts from 1; a restart goes on where the file ends.
    public let sequence: Int
    /// When it was answered, RFC 3339 in UTC with milliseconds.
    public let time: String
    public let method: String
    /// As it was sent, percent-encoded, with `?` and the query; secrets in it are masked.
    public let path: String
    /// 0 where the connection was ended without an answer.
    public let status: Int
    /// A JSON body, with sorted members and masked secrets, cut off after 64 KiB; nil for none and for other types.
    public let body: String?
    /// The body's size as it was sent.
    public let bodyBytes: Int
    /// The fault that was dealt to it, by its word in the fault plan; nil for none.
    public var fault: String?

    /// `GET /path?query`: what tests compare.
    public var line: String { "\(method) \(path)" }

    /// The body as a document; `.null` for none, and for one that was cut off.
    public var json: JSONValue { (try? JSONValue(parsing: (body ?? "null").utf8)) ?? .null }
  }

  private struct State {
    var records: [Record] = []
    var bytes = 0
    var next = 1
    var file: Int32 = -1
    var fileBytes = 0
  }

  private static let maximumRecords = 20_000
  private static let maximumBytes = 32 << 20
  private static let maximumFileBytes = 64 << 20
  static let maximumBody = 64 << 10

  private let path: String?
  private let state = Mutex(State())

  /// - Parameter path: where the JSON lines go; nil for memory only. The file is private to its owner (0600).
  init(path: String?) {
    self.path = path
    guard let path else { return }
    let earlier = Self.records(at: path)
    state.withLock { state in
      state.records = earlier
      state.bytes = earlier.reduce(0) { $0 + ($1.body?.utf8.count ?? 0) }
      state.next = (earlier.last?.sequence ?? 0) + 1
    }
  }

  /// The last records in a file; none where there is no file. A line that a crash cut off is passed over.
  private static func records(at path: String) -> [Record] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    let size = Int(lseek(file, 0, SEEK_END))
    let start = max(0, size - maximumBytes)
    var bytes = [UInt8](repeating: 0, count: size - start)
    let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, start) }
    let decoder = JSONDecoder()
    return bytes.prefix(max(count, 0)).split(separator: 0x0A).suffix(maximumRecords)
      .compactMap { try? decoder.decode(Record.self, from: Data($0)) }
  }

  deinit {
    state.withLock { state in _ = state.file >= 0 ? close(state.file) : 0 }
  }

  /// The records after `sequence`, oldest first.
  public func records(after sequence: Int = 0) -> [Record] {
    state.withLock { state in
      let start = state.records.partitioningIndex { $0.sequence > sequence }
      return Array(state.records[start...])
    }
  }

  /// The sequence of the newest record; 0 for none.
  public var last: Int { state.withLock { $0.next - 1 } }

  func append(
    method: String, path: String, status: Int, body: String?, bodyBytes: Int, fault: String? = nil
  ) {
    let time = Date.now.ISO8601Format(.iso8601(timeZone: .gmt, includingFractionalSeconds: true))
    state.withLock { state in
      let record = Record(
        sequence: state.next, time: time, method: method, path: path, status: status, body: body, bodyBytes: bodyBytes,
        fault: fault)
      state.next += 1
      state.records.append(record)
      state.bytes += body?.utf8.count ?? 0
      // Dropping an eighth at a time keeps the cost of moving the rest small.
      if state.records.count > Self.maximumRecords || state.bytes > Self.maximumBytes {
        let dropped = max(1, state.records.count / 8)
        state.bytes -= state.records[..<dropped].reduce(0) { $0 + ($1.body?.utf8.count ?? 0) }
        state.records.removeFirst(dropped)
      }
      write(record, &state)
    }
  }

  /// The log is a help, never a reason to fail a request: where the file cannot be written, the memory still has it.
  private func write(_ record: Record, _ state: inout State) {
    guard let path, var line = try? JSONEncoder().encode(record) else { return }
    line.append(0x0A)
    if state.fileBytes > Self.maximumFileBytes {
      close(state.file)
      rename(path, path + ".1")
      state.file = -1
    }
    if state.file < 0 {
      state.file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
      state.fileBytes = max(0, Int(lseek(state.file, 0, SEEK_END)))
    }
    let written = line.withUnsafeBytes { Glibc.write(state.file, $0.baseAddress, $0.count) }
    state.fileBytes += max(0, written)
  }
}

extension Date.ISO8601FormatStyle {
  fileprivate static func iso8601(timeZone: TimeZone, includingFractionalSeconds: Bool) -> Self {
    Self(includingFractionalSeconds: includingFractionalSeconds, timeZone: timeZone)
  }
}

extension Array {
  /// The first index whose element satisfies `predicate`, where all after it do too.
  fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if predicate(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

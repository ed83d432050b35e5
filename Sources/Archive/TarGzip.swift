import CArchive
import Glibc

/// Trees of files as `.tar.gz`, written so that the same tree always gives the same bytes, and read so that a hostile
/// archive does no harm.
public enum TarGzip {
  /// What a tree may have at most.
  public struct Limits: Sendable {
    /// Files and links; folders count on their own against the same number.
    public var entries: Int
    /// All contents together, in bytes as they come out of the inflater, whatever the headers claim.
    public var totalBytes: Int
    /// One path, or link target, in bytes.
    public var pathBytes: Int

    public init(entries: Int = 20_000, totalBytes: Int = 256 << 20, pathBytes: Int = 1024) {
      (self.entries, self.totalBytes, self.pathBytes) = (entries, totalBytes, pathBytes)
    }
  }

  /// Writes a tree: sorted by path, times and owners 0, modes 0644 and 0755, no time in the gzip header. Folders are
  /// not written; readers make them.
  ///
  /// - Throws: `ArchiveError` where two entries clash or a path or link is not safe: what this writes, `unpack` reads.
  public static func pack(_ files: [ArchiveEntry]) throws -> [UInt8] {
    var tree = SafeTree(limits: Limits(entries: .max, totalBytes: .max))
    var entries: [ArchiveEntry] = []
    for var entry in files {
      entry.path = try tree.add(entry.path)
      if let target = entry.linkTarget { try tree.checkLink(entry.path, to: target) }
      entries.append(entry)
    }
    entries.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }

    let locale = Locale()
    defer { locale.restore() }
    let output = Output()
    guard let archive = archive_write_new(), let header = archive_entry_new() else {
      throw ArchiveError.unreadable("out of memory")
    }
    defer {
      archive_entry_free(header)
      archive_write_free(archive)
    }
    func check(_ code: Int32) throws(ArchiveError) {
      guard code >= ARCHIVE_WARN else { throw .unreadable(message(archive)) }
    }
    try check(archive_write_add_filter_gzip(archive))
    try check(archive_write_set_filter_option(archive, "gzip", "timestamp", nil))
    try check(archive_write_set_format_pax_restricted(archive))
    try check(archive_write_set_format_option(archive, "pax", "hdrcharset", "UTF-8"))
    try check(archive_write_set_bytes_per_block(archive, 0))
    // libarchive calls the closure only until `archive_write_close`, while `output` lives.
    let opened = archive_write_open2(
      archive, Unmanaged.passUnretained(output).toOpaque(), nil,
      { _, client, buffer, length in
        guard let client, let buffer else { return -1 }
        let output = Unmanaged<Output>.fromOpaque(client).takeUnretainedValue()
        output.bytes.append(contentsOf: UnsafeRawBufferPointer(start: buffer, count: length))
        return length
      }, nil, nil)
    try check(opened)
    for entry in entries {
      _ = archive_entry_clear(header)
      archive_entry_set_pathname(header, entry.path)
      archive_entry_set_mtime(header, 0, 0)
      archive_entry_set_uid(header, 0)
      archive_entry_set_gid(header, 0)
      if let target = entry.linkTarget {
        archive_entry_set_filetype(header, FileKind.link)
        archive_entry_set_perm(header, 0o777)
        archive_entry_set_symlink(header, target)
        archive_entry_set_size(header, 0)
      } else {
        archive_entry_set_filetype(header, FileKind.file)
        archive_entry_set_perm(header, entry.isExecutable ? 0o755 : 0o644)
        archive_entry_set_size(header, Int64(entry.bytes.count))
      }
      try check(archive_write_header(archive, header))
      if entry.linkTarget == nil, !entry.bytes.isEmpty {
        let written = entry.bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
        guard written == entry.bytes.count else { throw ArchiveError.unreadable(message(archive)) }
      }
    }
    try check(archive_write_close(archive))
    return withExtendedLifetime(output) { output.bytes }
  }

  /// Reads a tree, in the archive's order, refusing what is not safe. Folders appear only through what is in them.
  public static func unpack(_ bytes: [UInt8], limits: Limits = .init()) throws(ArchiveError) -> [ArchiveEntry] {
    guard bytes.starts(with: [0x1F, 0x8B]) else { throw .unreadable("it is not gzip") }
    return try bytes.withUnsafeBufferPointer { bytes throws(ArchiveError) in try unpack(bytes, limits) }
  }

  private static func unpack(
    _ bytes: UnsafeBufferPointer<UInt8>, _ limits: Limits
  ) throws(ArchiveError) -> [ArchiveEntry] {
    let locale = Locale()
    defer { locale.restore() }
    guard let archive = archive_read_new() else { throw .unreadable("out of memory") }
    defer { archive_read_free(archive) }
    guard archive_read_support_filter_gzip(archive) == ARCHIVE_OK,
      archive_read_support_format_tar(archive) == ARCHIVE_OK,
      archive_read_open_memory(archive, bytes.baseAddress, bytes.count) == ARCHIVE_OK
    else { throw .unreadable(message(archive)) }

    var tree = SafeTree(limits: limits)
    var entries: [ArchiveEntry] = []
    var total = 0
    while true {
      var header: OpaquePointer?
      let code = archive_read_next_header(archive, &header)
      if code == ARCHIVE_EOF { return entries }
      guard code >= ARCHIVE_WARN, let header else { throw .unreadable(message(archive)) }
      guard let path = text(archive_entry_pathname(header)) else {
        throw .unsafePath("(not UTF-8)")
      }
      guard archive_entry_hardlink(header) == nil else { throw .unsupportedEntry(path) }
      switch UInt32(archive_entry_filetype(header)) {
      case FileKind.folder: try tree.addFolder(path)
      case FileKind.link:
        let clean = try tree.add(path)
        let target = text(archive_entry_symlink(header)) ?? ""
        try tree.checkLink(clean, to: target)
        entries.append(ArchiveEntry(path: clean, linkTarget: target))
      case FileKind.file:
        let clean = try tree.add(path)
        let content = try content(archive, upTo: limits.totalBytes - total, limits)
        total += content.count
        entries.append(
          ArchiveEntry(path: clean, bytes: content, isExecutable: archive_entry_perm(header) & 0o100 != 0))
      default: throw .unsupportedEntry(path)
      }
    }
  }

  /// The content of the current entry. The size in its header is not asked: it is the sender's claim.
  private static func content(
    _ archive: OpaquePointer, upTo limit: Int, _ limits: Limits
  ) throws(ArchiveError) -> [UInt8] {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = chunk.withUnsafeMutableBytes { archive_read_data(archive, $0.baseAddress, $0.count) }
      guard count >= 0 else { throw .unreadable(message(archive)) }
      guard count > 0 else { return content }
      guard content.count + count <= limit else { throw .tooLarge(limit: limits.totalBytes) }
      content += chunk[..<count]
    }
  }

  private static func text(_ bytes: UnsafePointer<CChar>?) -> String? {
    bytes.flatMap { String(validatingCString: $0) }
  }

  private static func message(_ archive: OpaquePointer) -> String {
    archive_error_string(archive).map { String(cString: $0) } ?? "unknown reason"
  }

  /// UTF-8 as this thread's character set until `restore()`: libarchive converts every path through it, and the C
  /// locale, which a Swift program starts in, has no letters beyond ASCII.
  private struct Locale {
    private let own = newlocale(1 << LC_CTYPE, "C.UTF-8", nil)
    private let earlier: locale_t?

    init() { earlier = own.flatMap { uselocale($0) } }

    func restore() {
      guard let own else { return }
      uselocale(earlier)
      freelocale(own)
    }
  }

  /// What `archive_write_data` and its like write to.
  private final class Output {
    var bytes: [UInt8] = []
  }

  /// POSIX file types in octal: the macros are ambiguous between the C library's module and libarchive's.
  private enum FileKind {
    static let file: UInt32 = 0o100000
    static let folder: UInt32 = 0o040000
    static let link: UInt32 = 0o120000
  }
}

import CArchive
import Glibc

/// Trees of files as `.tar.gz`, written so that the same tree always gives the same bytes, and read so that a hostile
/// archive does no harm.
public enum TarGzip {
  /// What a tree may have at most.
  public struct Limits: Sendable {
    /// Files and links; folders count on their own against the same number.
    public var entries: Int
    /// One content, in bytes; more than ``totalBytes`` means nothing.
    public var fileBytes: Int
    /// All contents together, in bytes as they come out of the inflater, whatever the headers claim.
    public var totalBytes: Int
    /// One path, or link target, in bytes.
    public var pathBytes: Int

    public init(
      entries: Int = 20_000, fileBytes: Int = .max, totalBytes: Int = 256 << 20, pathBytes: Int = 1024
    ) {
      (self.entries, self.fileBytes) = (entries, fileBytes)
      (self.totalBytes, self.pathBytes) = (totalBytes, pathBytes)
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

    let locale = UTF8Locale()
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
      // Packing a large tree takes seconds.
      if Task.isCancelled { throw CancellationError() }
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
    return try ArchiveReading.entries(of: bytes, .tarGzip, limits)
  }

  static func message(_ archive: OpaquePointer) -> String {
    archive_error_string(archive).map { String(cString: $0) } ?? "unknown reason"
  }

  /// What `archive_write_data` and its like write to.
  private final class Output {
    var bytes: [UInt8] = []
  }
}

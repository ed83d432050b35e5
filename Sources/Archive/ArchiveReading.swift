import CArchive

/// Reads an archive in memory, whoever made it: nothing is believed that is not seen.
enum ArchiveReading {
  enum Format {
    case tarGzip, zip
  }

  static func entries(
    of bytes: [UInt8], _ format: Format, _ limits: TarGzip.Limits
  ) throws(ArchiveError) -> [ArchiveEntry] {
    let locale = UTF8Locale()
    defer { locale.restore() }
    return try bytes.withUnsafeBufferPointer { bytes throws(ArchiveError) in try entries(of: bytes, format, limits) }
  }

  private static func entries(
    of bytes: UnsafeBufferPointer<UInt8>, _ format: Format, _ limits: TarGzip.Limits
  ) throws(ArchiveError) -> [ArchiveEntry] {
    guard let archive = archive_read_new() else { throw .unreadable("out of memory") }
    defer { archive_read_free(archive) }
    guard isPrepared(archive, format), archive_read_open_memory(archive, bytes.baseAddress, bytes.count) == ARCHIVE_OK
    else { throw .unreadable(TarGzip.message(archive)) }

    var tree = SafeTree(limits: limits)
    var entries: [ArchiveEntry] = []
    var total = 0
    while true {
      var header: OpaquePointer?
      let code = archive_read_next_header(archive, &header)
      // libarchive would also read gzip within gzip, where a million times as much comes out as goes in.
      guard archive_filter_count(archive) <= (format == .zip ? 1 : 2) else { throw .unreadable("it is packed twice") }
      if code == ARCHIVE_EOF { return entries }
      guard code >= ARCHIVE_WARN, let header else { throw .unreadable(TarGzip.message(archive)) }
      guard let path = text(archive_entry_pathname(header)) else { throw .unsafePath("(not UTF-8)") }
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
        let content = try content(of: clean, archive, total: total, limits)
        total += content.count
        entries.append(
          ArchiveEntry(path: clean, bytes: content, isExecutable: archive_entry_perm(header) & 0o100 != 0))
      default: throw .unsupportedEntry(path)
      }
    }
  }

  private static func isPrepared(_ archive: OpaquePointer, _ format: Format) -> Bool {
    switch format {
    case .tarGzip:
      archive_read_support_filter_gzip(archive) == ARCHIVE_OK && archive_read_support_format_tar(archive) == ARCHIVE_OK
    // Seekable: names, kinds and modes are read from the directory at the archive's end, as every other reader does.
    case .zip: archive_read_support_format_zip_seekable(archive) == ARCHIVE_OK
    }
  }

  /// The content of the current entry. The size in its header is not asked: it is the sender's claim.
  private static func content(
    of path: String, _ archive: OpaquePointer, total: Int, _ limits: TarGzip.Limits
  ) throws(ArchiveError) -> [UInt8] {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = chunk.withUnsafeMutableBytes { archive_read_data(archive, $0.baseAddress, $0.count) }
      guard count >= 0 else { throw .unreadable(TarGzip.message(archive)) }
      guard count > 0 else { return content }
      guard total + content.count + count <= limits.totalBytes else { throw .tooLarge(limit: limits.totalBytes) }
      guard content.count + count <= limits.fileBytes else { throw .fileTooLarge(path, limit: limits.fileBytes) }
      content += chunk[..<count]
    }
  }

  private static func text(_ bytes: UnsafePointer<CChar>?) -> String? {
    bytes.flatMap { String(validatingCString: $0) }
  }
}

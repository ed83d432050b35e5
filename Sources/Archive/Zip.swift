/// Trees of files as `.zip`, read only and as carefully as `.tar.gz`.
public enum Zip {
  /// Reads a tree, in the archive's order, refusing what is not safe. Folders appear only through what is in them.
  public static func unpack(_ bytes: [UInt8], limits: TarGzip.Limits = .init()) throws(ArchiveError) -> [ArchiveEntry] {
    guard bytes.starts(with: [0x50, 0x4B]) else { throw .unreadable("it is not zip") }
    return try ArchiveReading.entries(of: bytes, .zip, limits)
  }
}

/// An archive that is one of the kinds read here, as its first bytes tell: what it is named is the sender's claim.
public enum AnyArchive {
  /// Reads a tree from a `.tar.gz` or `.zip`.
  public static func unpack(_ bytes: [UInt8], limits: TarGzip.Limits = .init()) throws(ArchiveError) -> [ArchiveEntry] {
    if bytes.starts(with: [0x1F, 0x8B]) { return try TarGzip.unpack(bytes, limits: limits) }
    if bytes.starts(with: [0x50, 0x4B]) { return try Zip.unpack(bytes, limits: limits) }
    throw .unreadable("it is neither tar.gz nor zip")
  }
}

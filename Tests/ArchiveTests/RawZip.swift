/// A zip written by hand, its contents stored, to say what no honest writer says.
struct RawZip {
  private var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count = 0

  /// - Parameter mode: the type and permissions that a Unix writer notes: 0o100644 a file, 0o120777 a symbolic link.
  func entry(_ path: String, mode: UInt32 = 0o100644, _ content: String = "") -> RawZip {
    let name = Array(path.utf8)
    let content = Array(content.utf8)
    let common: [UInt8] =
      Self.little(20, 2) + Self.little(0x800, 2) + Self.little(0, 2) + Self.little(0, 4)
      + Self.little(RawTar.crc(of: content), 4) + Self.little(UInt32(content.count), 4)
      + Self.little(UInt32(content.count), 4) + Self.little(UInt32(name.count), 2)
    var copy = self
    copy.directory += Array("PK\u{1}\u{2}".utf8) + Self.little(0x0314, 2) + common
    copy.directory += Self.little(0, 2) + Self.little(0, 2) + Self.little(0, 2) + Self.little(0, 2)
    copy.directory += Self.little(mode << 16, 4) + Self.little(UInt32(bytes.count), 4) + name
    copy.bytes += Array("PK\u{3}\u{4}".utf8) + common + Self.little(0, 2) + name + content
    copy.count += 1
    return copy
  }

  func zip() -> [UInt8] {
    var end = Array("PK\u{5}\u{6}".utf8) + Self.little(0, 4)
    end += Self.little(UInt32(count), 2) + Self.little(UInt32(count), 2)
    end += Self.little(UInt32(directory.count), 4) + Self.little(UInt32(bytes.count), 4) + Self.little(0, 2)
    return bytes + directory + end
  }

  private static func little(_ value: UInt32, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

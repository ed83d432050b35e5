/// A tar written by hand, to say what no honest writer says.
struct RawTar {
  private var bytes: [UInt8] = []

  func file(_ path: String, _ content: String) -> RawTar { entry(path, type: "0", content: content) }

  /// - Parameter type: the type flag of POSIX ustar: 0 file, 1 hard link, 2 symbolic link, 3 and 4 devices, 5 folder,
  ///   6 fifo.

  func entry(_ path: String, type: String, link: String = "", content: String = "") -> RawTar {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
    }
    func octal(_ value: Int, _ width: Int) -> String {
      let digits = String(value, radix: 8)
      return String(repeating: "0", count: width - digits.count) + digits
    }
    put(path, at: 0)
    put("0000644\0" + "0000000\0" + "0000000\0" + octal(content.utf8.count, 11) + "\0" + octal(0, 11) + "\0", at: 100)
    put("        " + type, at: 148)
    put(link, at: 157)
    put("ustar\u{0}00", at: 257)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0 ", at: 148)
    var copy = self
    copy.bytes += header + Array(content.utf8)
    copy.bytes += [UInt8](repeating: 0, count: (512 - content.utf8.count % 512) % 512)
    return copy
  }

  func tar() -> [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

  func gzip() -> [UInt8] { Self.gzip(tar()) }

  /// A gzip member of stored (uncompressed) deflate blocks: RFC 1951 3.2.4, RFC 1952 2.3.
  static func gzip(_ content: [UInt8]) -> [UInt8] {
    var output: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
    var rest = content[...]
    repeat {
      let block = rest.prefix(65_535)
      rest = rest.dropFirst(block.count)
      let length = UInt16(block.count)
      output.append(rest.isEmpty ? 1 : 0)
      output += [UInt8(length & 255), UInt8(length >> 8), UInt8(~length & 255), UInt8(~length >> 8)]
      output += block
    } while !rest.isEmpty
    for value in [crc(of: content), UInt32(content.count)] {
      output += (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    return output
  }

  /// The checksum of gzip and zip: RFC 1952, section 8.
  static func crc(of content: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in content {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }
}

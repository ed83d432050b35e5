import Glibc
import NIOCore

/// Whose process is at the other end of the connection that a request came on.
enum LocalPeer {
  /// The two ends of the connection, set around each request.
  @TaskLocal static var connection: Connection?

  struct Connection: Sendable {
    let peer: SocketAddress?
    let own: SocketAddress?
  }

  /// Whether the peer's socket is on this machine, and belongs to the user of this process or to root.
  ///
  /// The kernel lists the sockets of the machine with their owners in `/proc/net/tcp` and `tcp6` (proc_pid_net(5)). What is
  /// not in there counts as a stranger.
  static var isOwn: Bool {
    guard let connection, let peer = connection.peer, let own = connection.own, let local = endpoint(peer),
      let remote = endpoint(own)
    else { return false }
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
      for line in lines(of: file) {
        let fields = line.split(separator: 0x20)
        // Only one that is established: those that are being closed have lost their owner.
        guard fields.count > 7, fields[3].elementsEqual("01".utf8),
          local.contains(String(decoding: fields[1], as: UTF8.self)),
          remote.contains(String(decoding: fields[2], as: UTF8.self)),
          let owner = uid_t(String(decoding: fields[7], as: UTF8.self))
        else { continue }
        return owner == geteuid() || owner == 0
      }
    }
    return false
  }

  /// The lines of a file whose size the kernel does not know before it is read.
  private static func lines(of path: String) -> [ArraySlice<UInt8>] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = read(file, &buffer, buffer.count)
      guard count > 0 else { return content.split(separator: 0x0A) }
      content += buffer[..<count]
    }
  }

  /// An address as the kernel's lists write it: words of the machine's byte order in hexadecimal, and the port. An IPv4
  /// address may be there as one of IPv6, too.
  private static func endpoint(_ address: SocketAddress) -> [String]? {
    guard let text = address.ipAddress, let number = address.port.flatMap(UInt32.init(exactly:)) else { return nil }
    let port = hex(number, digits: 4)
    var words: [UInt32] = [0]
    if inet_pton(AF_INET, text, &words) == 1 {
      let word = hex(words[0], digits: 8)
      let mapped = String(repeating: "0", count: 16) + hex(UInt32(0xFFFF).bigEndian, digits: 8)
      return ["\(word):\(port)", "\(mapped)\(word):\(port)"]
    }
    words = [0, 0, 0, 0]
    guard inet_pton(AF_INET6, text, &words) == 1 else { return nil }
    return ["\(words.map { hex($0, digits: 8) }.joined()):\(port)"]
  }

  private static func hex(_ number: UInt32, digits: Int) -> String {
    let text = String(number, radix: 16, uppercase: true)
    return String(repeating: "0", count: digits - text.count) + text
  }
}

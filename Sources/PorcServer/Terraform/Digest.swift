import Crypto
import Foundation

/// SHA-256 as lower-case hexadecimal: how bundles, archives and documents are named.
enum Digest {
  static func sha256(_ data: Data) -> String { SHA256.hash(data: data).hex }
}

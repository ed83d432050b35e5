/// POSIX file types in octal: the macros are ambiguous between the C library's module and libarchive's.
enum FileKind {
  static let file: UInt32 = 0o100000
  static let folder: UInt32 = 0o040000
  static let link: UInt32 = 0o120000
}

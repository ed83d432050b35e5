import Glibc

/// UTF-8 as this thread's character set until `restore()`: libarchive converts every path through it, and the C
/// locale, which a Swift program starts in, has no letters beyond ASCII.
struct UTF8Locale {
  private let own = newlocale(1 << LC_CTYPE, "C.UTF-8", nil)
  private let earlier: locale_t?

  init() { earlier = own.flatMap { uselocale($0) } }

  func restore() {
    guard let own else { return }
    uselocale(earlier)
    freelocale(own)
  }
}

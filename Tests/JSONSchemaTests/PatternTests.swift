import HCL
import TestKit
import Testing

@testable import JSONSchema

struct PatternTests {
  static func matches(_ pattern: String, _ text: String) throws -> Bool? {
    var work = 1_000_000
    return try Pattern(pattern).matches(text, &work)
  }

  @Test(arguments: [
    ("", ["", "a"], []), ("^$", [""], ["a", "\n"]), ("abc", ["xabcx"], ["ab", "ABC"]), ("^a*$", ["", "aaa"], ["ab"]),
    ("^a+?$", ["a", "aa"], [""]), ("^a?b$", ["b", "ab"], ["aab"]), ("^(a|bc|)d$", ["ad", "bcd", "d"], ["bd"]),
    ("^a{2}$", ["aa"], ["a", "aaa"]), ("^a{2,}$", ["aa", "aaaa"], ["a"]), ("^a{1,3}$", ["a", "aaa"], ["", "aaaa"]),
    ("^(?:ab){0,2}$", ["", "abab"], ["a", "ababab"]), ("^a{0}$", [""], ["a"]), ("^(a*)*$", ["", "aa"], ["b"]),
    ("^(?:a?){3}$", ["", "aa", "aaa"], ["aaaa"]), ("^(?<name>a)$", ["a"], ["b"]),
    ("^.$", ["é", "😀"], ["\n", "\u{2028}", "ab"]),
    ("^[a-c]$", ["a", "c"], ["d", "-"]), ("^[^a-c]$", ["d", "\n", "😀"], ["b"]), ("^[a-]$", ["a", "-"], ["b"]),
    ("^[-a]$", ["a", "-"], ["b"]), ("^[\\d-x]$", ["5", "-", "x"], ["y"]), ("^[a-\\d]$", ["a", "-", "5"], ["b"]),
    ("^[]$", [], ["", "a"]),
    ("^[^]$", ["a", "\n"], [""]),
    ("^[\\]\\\\^]$", ["]", "\\", "^"], ["["]), ("^[\\b]$", ["\u{8}"], ["b"]), ("^\\d+$", ["09"], ["٣", "a"]),
    ("^\\w+$", ["aZ_9"], ["é", "-"]), ("^\\s$", [" ", "\t", "\u{A0}", "\u{FEFF}", "\u{2028}"], ["a"]),
    ("^[\\S]$", ["a"], [" "]),
    ("^\\D\\W$", ["a-"], ["1-", "aa"]), ("^[^\\D]$", ["1"], ["a"]), ("\\bfoo\\b", ["a foo b", "foo"], ["food"]),
    ("o\\B", ["oo"], ["o"]), ("^\\p{L}+$", ["aπé"], ["1"]), ("^\\p{Lu}\\p{Ll}$", ["Éa"], ["éa"]),
    ("^\\P{L}$", ["1"], ["a"]), ("^[\\p{L}\\d]+$", ["π1"], ["-"]), ("^[^\\p{L}]$", ["1"], ["a"]),
    ("^\\p{General_Category=Decimal_Number}$", ["٣"], ["a"]), ("^\\p{Alphabetic}$", ["a"], ["1"]),
    ("^\\p{LC}$", ["a"], ["ª", "1"]),
    ("^\\u0041\\x42\\u{43}\\cJ\\0$", ["ABC\n\0"], ["ABC"]), ("^\\ud83d\\ude00$", ["😀"], ["a"]),
    ("^\\u{1F600}$", ["😀"], []),
    ("^[😀-😂]$", ["😁"], ["😃"]), ("^\\-\\_\\@\\/\\.$", ["-_@/."], ["-_@/a"]), ("^{a}]$", ["{a}]"], ["a"]),
    ("^a{,x$", ["a{,x"], []),
    // What looks ahead or behind.
    ("^(?!\\.{1,2}$)[\\p{L}0-9.]+$", ["a", "...", ".a"], [".", "..", ""]),
    ("^(?=.*\\d)(?=.*[a-z]).{3,}$", ["ab1", "1xx"], ["abc", "123", "a1"]),
    ("(?<=a)b", ["ab"], ["bb", "b"]), ("(?<!a)b", ["b", "bb"], ["ab"]), ("^(?:(?!ab).)*$", ["aacb", ""], ["xab"]),
    ("^(?=(?!b)[a-c]+$)..$", ["ab", "cb"], ["ba", "ad"]), ("(?<=(?<!x)a)b", ["ab", "cab"], ["xab"]),
    ("^(?!.*(?<=a)b)[ab]+$", ["ba", "bb"], ["ab", "bab"]), ("(?=$)", ["", "a"], []), ("(?!)", [], ["", "a"]),
  ])
  func aPatternMatchesAsInECMAScript(pattern: String, matching: [String], other: [String]) throws {
    for text in matching { #expect(try Self.matches(pattern, text) == true, "\(text.debugDescription)") }
    for text in other { #expect(try Self.matches(pattern, text) == false, "\(text.debugDescription)") }
  }

  @Test(arguments: [
    ("a(b", 2), ("a)", 2), ("[a", 1), ("*a", 1), ("a**", 3), ("a++", 3), ("a|+", 3), ("(?i)a", 1), ("(?>a)", 1),
    ("(a)\\1", 4),
    ("(?<n>a)\\k<n>", 8), ("\\", 1), ("\\q", 1), ("\\A", 1), ("a\\z", 2), ("[b-a]", 2),
    ("a{2,1}", 2),
    ("{2}", 1), ("a{,2}", 2), ("^*", 2), ("(?=a)+", 6), ("\\x4", 1), ("\\u12", 1), ("\\u{110000}", 1), ("\\u{41", 1),
    ("\\p{Nope}", 1), ("\\p{Script=Greek}", 1), ("\\pL", 1), ("[[:alpha:]]", 2), ("\\07", 1), ("\\c1", 1),
    ("a{99999999999}", 3),
    ("(?<n", 1), ("(a{1000}){1000}", 1), ("((a{100}){100}){100}", 1), ("\\ud83d\\u0041", 1),
  ])
  func aPatternThatCannotBeUsedIsRefusedWithItsPlace(pattern: String, position: Int) {
    let failure = #expect(throws: PatternFailure.self) { try Pattern(pattern) }
    #expect(failure?.position == position)
  }

  @Test(
    .timeLimit(.minutes(1)),
    arguments: [
      "^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^(.*)*x$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a*)*b", "^(?=(a+)+$)x",
      "(?<=(a+)+b)c",
      "^(a?){50}a{50}$", "(.*)(.*)(.*)(.*)(.*)[^a]",
    ])
  func noPatternBlowsUp(pattern: String) throws {
    let text = String(repeating: "a", count: 500) + "!"
    var work = 2_000_000
    #expect(try Pattern(pattern).matches(text, &work) != nil)
  }

  @Test func matchingEndsWhenTheWorkIsUsedUp() throws {
    var work = 1_000
    #expect(try Pattern("(a|b)*c").matches(String(repeating: "a", count: 10_000), &work) == nil)
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func whatAPatternMatchesIsWhatTryingAllWaysFinds(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let text = Backtracking.pattern(depth: 3, using: &random)
    guard let pattern = try? Pattern("^(?:\(text))$") else { return }
    for _ in 0..<20 {
      let word = (0..<Int.random(in: 0...6, using: &random)).map { _ in ["a", "b"].randomElement(using: &random) ?? "" }
        .joined()
      var work = 1_000_000
      #expect(pattern.matches(word, &work) == Backtracking.matches("^(?:\(text))$", word), "\(text) on \(word)")
    }
  }
}

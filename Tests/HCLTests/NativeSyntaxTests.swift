import HCL
import Testing

struct NativeSyntaxTests {
  /// Expression and value; `TerraformOracleTests` asks Terraform about the same.
  static let literals: [(String, Value)] = [
    ("\"a\"", "a"), ("5", 5), ("-5", -5), ("- 1.5e3", -1500), ("--2", 2), ("true", true), ("false", false),
    ("null", .null),
    ("(\n\"x\"\n)", "x"), ("[]", []), ("{}", [:]), ("[1, \"a\", [true,],]", [1, "a", [true]]),
    ("[\n1\n,\n2\n]", [1, 2]),
    ("{ a = 1\nb = 2, c = 3 }", ["a": 1, "b": 2, "c": 3]),
    ("{ a : 1, \"b c\" = 2, 5 = 3, true = 4, (\"k\") = 5 }", ["a": 1, "b c": 2, "5": 3, "true": 4, "k": 5]),
    ("{\n\n  a = {\n  b = [\n{ c = 1 }]\n}\n\n}", ["a": ["b": [["c": 1]]]]),
    ("{ in = 0, for = 1, if = 2 }", ["in": 0, "for": 1, "if": 2]),
    (#""\n\r\t\"\\\u00e9\U0001F600""#, "\n\r\t\"\\é😀"), (#""$${a} %%{b} $ % $$ %% 100%""#, "${a} %{b} $ % $$ %% 100%"),
    (#""$$${a} $$$${b} %%%{c} $${""#, "$${a} $$${b} %%{c} ${"), (#""\u0024{x}""#, "${x}"), (#""$\u0024{x}""#, "$${x}"),
    (#""}{""#, "}{"),
    ("\"a # no comment // nor /* this */\"", "a # no comment // nor /* this */"), ("5 # comment", 5),
    ("5 // comment", 5), ("/* a */ 5 /* b */", 5),
    ("[ # one\n1, // two\n2 /* three\n */ ]", [1, 2]),
    ("123456789012345678901234567890", .number(Number("123456789012345678901234567890") ?? 0)),
    ("<<EOT\na\n  b \\n \"q\"\nEOT", "a\n  b \\n \"q\"\n"), ("<<EOT\nEOT", ""), ("<<EOT\n\n  EOT", "\n"),
    ("<<E-1_é\nE\n EOT\nE-1_é", "E\n EOT\n"),
    ("<<-EOT\n      a\n        b\n\n      c\n    EOT", "a\n  b\n\nc\n"), ("<<-EOT\n\ta\n\t  b\nEOT", "a\n  b\n"),
    ("<<-EOT\n  a\n   \n  b\nEOT", "a\n   \nb\n"), ("<<-EOT\n  a\n b\n   c\n  EOT", " a\nb\n  c\n"),
    ("<<EOT\n$${a} %%{b} $ 100% }{\n# text\n// text\nEOT", "${a} %{b} $ 100% }{\n# text\n// text\n"),
    ("\"a${\"b\"}c${1.50}${true}\"", "abc1.5true"), ("\"${5}\"", 5), ("\"${[1, \"${\"a\"}\"]}\"", [1, "a"]),
    ("\"a ${~ \"b\" ~} c\"", "abc"), ("1.e3", 1000), ("\"${~ \" x \" ~}\"", " x "),
    ("<<-EOT\n    a ${\"x\"}\n  ${\"y\" ~}\n   b\n    EOT", "  a x\ny   b\n"),
    ("<<-EOT\n  a\n${\"  \"}b\nEOT", "  a\n  b\n"), ("<<-EOT\n\u{a0} a\n\u{a0}b\n\u{a0}EOT", " a\nb\n"),
    ("\"${\"}\"}\"", "}"), ("<<EOT\n${ <<IN\nx\nIN\n}\nEOT", "x\n\n"),
    ("[<<EOT\na\nEOT\n, 2]", ["a\n", 2]),
    ("{\n a = <<EOT\nx\nEOT\n b = 2\n}", ["a": "x\n", "b": 2]),
  ]

  @Test(arguments: literals)
  func aLiteralIsRead(expression: String, value: Value) {
    let module = Module.read("variable \"x\" {\n  default = \(expression)\n}\nvariable \"y\" {}\n")
    #expect(module.complaints == [])
    #expect(module.variable(named: "x")?.default == .known(value))
    #expect(module.variable(named: "y") != nil)
  }

  /// Right as far as grammar goes; `TerraformOracleTests` asks Terraform about the same.
  static let opaque = [
    "1 + 1", "!true", "true ? 1 : \"2\"", "[for x in [\"a\"] : x]", "{ for k, v in {} : k => v... if true }",
    "\"a${1 + 1}\"", "\"a${x}\"", "\"%{ if true }a%{ else }b%{ endif }\"",
    "var.x", "upper(\"a\")", "f([\"a\"]...)", "provider::p::f(1)", "local.a[0].b[*].c", "a.*.b",
    "a.0", "\"${ {a = \"}\"}[\"a\"] }\"",
    "[1 + 1]", "{ a = var.b }", "{ (var.k) = 1 }", "1 == 1 && 2 != 3 || 4 >= 5",
    "[1][0]", "-(1)+2", "a ? b : c ? d : e",
    "\"%{ for a, b in c ~}${a}%{ endfor }\"", "f(\n1,\n2,\n)", "[\"a\", \"b\"] [0]", "\"${f(\n\"a\"\n)}\"",
  ]

  @Test(arguments: opaque)
  func whatIsMoreThanALiteralIsThereButUnknown(expression: String) {
    let module = Module.read("variable \"x\" {\n  default = \(expression)\n}\nvariable \"y\" {}\n")
    #expect(module.complaints == [])
    #expect(module.variable(named: "x")?.default == .unknown)
    #expect(module.variable(named: "y") != nil)
  }

  static let broken = [
    "", "[1 2]", "[1,,2]", "{ a = 1 b = 2 }", "{ a 1 }", "\"\\q\"", "\"a\nb\"", "\"\\u12\"", "1 +", "(1", "[1",
    "{ a = 1", "1x", "0x1F", ".5", "'a'", "a..b", "a ? b", "f(1 2)",
    "<<EOT\nabc", "\"${\"", "\"${}\"", "[for x : x]", "!", "= 1", "1 2", "\"a\" \"b\"", "1;", "{ for k in v : k }",
    "{ for = 1 }", "@", "\"%{ what }\"", "f(a..., )", "a.*.*", "a.0.1", "1.2.3", "a::b", "[for a in b : c => d]",
    "{ for a in b : c }", "\"%{ if a }\"", "\"%{ endif }\"", "\"%{ for a in b }%{ endif }\"",
    "\"%{ if a }%{ else }%{ else }%{ endif }\"", "\"${a}\\q\"", "\"a\rb\"", "<<E\na\rb\nE",
  ]

  @Test(arguments: broken)
  func aBrokenExpressionIsAnErrorAndTheVariableIsThere(expression: String) {
    let module = Module.read("variable \"before\" {}\nvariable \"x\" {\n  default = \(expression)\n}\n")
    #expect(module.hasErrors)
    #expect(module.variable(named: "before") != nil)
    #expect(module.variable(named: "x")?.isRequired == false)
  }

  @Test(arguments: [
    "variable \"x\" { type = string }\n", "variable \"x\" {}\n", "variable x { default = 1 }", "variable \"x\" {\n}",
    "variable \"x\" { default = { a = 1 } }\n",
    "variable \"x\" { default = [\n1,\n2\n] }\n", "variable \"x\" { # c\n default = 1 // d\n /* e */ }\n",
    "\u{FEFF}variable \"x\" {}\n", "variable \"x\" {\r\n  default = 1\r\n}\r\n",
    "variable /* c */ \"x\" /* d */ {\n\n\n}\n", "# c\n\n\tvariable\t\"x\"{}", "variable \"\\u0078\" {}\n",
  ])
  func aBlockHasManyShapes(text: String) {
    let module = Module.read(text)
    #expect(module.complaints == [])
    #expect(module.variables.map(\.name) == ["x"])
  }

  static let brokenBlocks = [
    "variable \"x\" { type = list(string), default = [] }\n", "variable \"x\" { type = string\n}\n",
    "variable \"x\" { default = <<A\na\nA\n}\n", "variable \"x\"\n{\n}\n",
    "variable \"x\" {", "variable \"x\" {}}\n", "variable \"x\" {} variable \"y\" {}\n", "variable {}\n",
    "variable \"x\" \"y\" {}\n", "variable \"${x}\" {}\n", "x = 1\n",
    "variable \"x\" {\n default = 1 description = \"a\"\n}\n", "variable \"x\" {\n default = 1\n default = 2\n}\n",
    "variable \"x\" {\n \"a\" = 1\n}\n", "/* never", "variable \"x\" {\n default = 1 }\n",
    "variable \"x\" {\n type = \"string\"\n}\n", "variable \"x\" {\n description = null\n}\n",
    "variable \"x\" {\n sensitive = \"yes\"\n}\n", "\u{0}", "resource \"a\" \"b\" {\n", "\"x\" {}\n",
    "resource \"a\" \"b\" {\n x = [1 2]\n}\n", "locals {\n a = 1\n a = 2\n}\n", "x {\n y {\n  a = }\n }\n}\n",
  ]

  @Test(arguments: brokenBlocks)
  func aBrokenBlockIsAnError(text: String) {
    #expect(Module.read(text).hasErrors)
  }

  @Test(arguments: [
    "resource \"a\" \"b\" {\n x = (\n}\n", "variable \"bad\" {\n default = [1\n}\n", "} ] )\n", "x = 1\n",
    "variable \"q\" {\n a b c\n default = @\n}\n", "locals { a = 1, b = 2 }\n", "locals {\n a = %\n b {\n }\n}\n",
  ])
  func whatFollowsAMistakeIsReadAllTheSame(mistake: String) {
    let module = Module.read("variable \"before\" {}\n\(mistake)variable \"after\" {}\n")
    #expect(module.hasErrors)
    #expect(module.variable(named: "before") != nil)
    #expect(module.variable(named: "after") != nil)
  }

  @Test func otherBlocksAreReadByTheirTokens() {
    let module = Module.read(
      "resource \"a\" \"b\" {\n  x = \"}\"\n  y = <<E\n}\nvariable \"no\" {}\nE\n  z = \"${f(\"}\")}\" # }\n /* } */\n}\nvariable \"yes\" {}\n"
    )
    #expect(module.complaints == [])
    #expect(module.variables.map(\.name) == ["yes"])
  }

  @Test func bytesThatAreNotUTF8AreAnErrorWithAPlace() {
    let text = Array("variable \"x\" {}\nlocals { a = \"é".utf8) + [0xFF] + Array("\" }\n".utf8)
    let module = Module.read(files: ["a.tf": text])
    #expect(module.complaints == ["a.tf:2:16: error: The file is not UTF-8 here."])
    #expect(module.variables.map(\.name) == ["x"])
    // Terraform does not look into comments.
    #expect(!Module.read(files: ["a.tf": [0x23, 0xFF, 0x0A]]).hasErrors)
  }

  @Test func aConstantSensitiveThatCannotBeReadIsTakenForTrue() {
    #expect(Module.read("variable \"x\" {\n sensitive = !false\n}\n").variables.first?.isSensitive == true)
  }
}

import Foundation
import HCL
import PorcCore
import PorcStore
import TestKit
import Testing

@Suite struct InputVaultTests {
  private let run = Run.ID("porc-1")
  private let inputs: [String: Value] = [
    "password": "s3cret \u{1F511}", "list": [1, 2.5, .null, true], "empty": [:],
    "large": .number(Number("123456789012345678901234567890123456789012345.25") ?? 0),
  ]

  private func key(_ byte: UInt8) -> Data { Data(repeating: byte, count: 32) }

  @Test func whatIsSealedOpensForItsRunWithEveryDigit() throws {
    let vault = try InputVault(key: key(1))
    let sealed = try vault.seal(inputs, for: run)
    #expect(try vault.open(sealed, of: run) == inputs)
    #expect(sealed.first == 1)
    #expect(sealed.dropFirst().prefix(8).elementsEqual(vault.keyID.utf8))
    #expect(vault.keyID == "72cd6e84", "the first digits of the key's SHA-256")
    #expect(sealed.range(of: Data("s3cret".utf8)) == nil)
    #expect(try vault.seal(inputs, for: run) != sealed, "each nonce is used once")
  }

  @Test func anotherKeyIsToldApartFromDamage() throws {
    let vault = try InputVault(key: key(1))
    let sealed = try vault.seal(inputs, for: run)
    #expect(throws: InputVaultError.otherKey(vault.keyID)) { try InputVault(key: key(2)).open(sealed, of: run) }
    #expect(throws: InputVaultError.damaged(Run.ID("porc-2"))) { try vault.open(sealed, of: Run.ID("porc-2")) }
    for length in [0, 1, 9, 20, sealed.count - 1] {
      #expect(throws: InputVaultError.damaged(run)) { try vault.open(sealed.prefix(length), of: run) }
    }
    for index in [0, 9, 21, sealed.count - 1] {
      var changed = sealed
      changed[index] ^= 1
      #expect(throws: InputVaultError.damaged(run)) { try vault.open(changed, of: run) }
    }
  }

  @Test func digestsDependOnTheInputsAndTheKeyOnly() throws {
    let vault = try InputVault(key: key(1))
    let digest = vault.digest(["a": 1, "b": ["c": "d"]])
    #expect(digest.count == 64)
    #expect(digest == vault.digest(["b": ["c": "d"], "a": 1]))
    #expect(digest != vault.digest(["a": 1, "b": ["c": "e"]]))
    #expect(digest != (try InputVault(key: key(2)).digest(["a": 1, "b": ["c": "d"]])))
  }

  @Test func aKeyFileIsMadeOnceAndForItsOwnerOnly() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("key").path
    try InputVault.makeKeyFile(at: path)
    #expect(try mode(path) == 0o600)
    let bytes = try Data(contentsOf: folder.file("key"))
    #expect(Data(base64Encoded: String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines))?.count == 32)
    let sealed = try InputVault(keyFile: path).seal(inputs, for: run)
    #expect(try InputVault(keyFile: path).open(sealed, of: run) == inputs)

    #expect(try problem { try InputVault.makeKeyFile(at: path) }.contains("cannot be made"))
    #expect(try Data(contentsOf: folder.file("key")) == bytes)
    let other = folder.file("other").path
    try InputVault.makeKeyFile(at: other)
    #expect(try InputVault(keyFile: other).keyID != InputVault(keyFile: path).keyID)
  }

  @Test func aBadKeyFileIsRefusedWithItsReason() throws {
    let folder = try TemporaryFolder()
    #expect(try problem { _ = try InputVault(keyFile: folder.file("none").path) }.contains("cannot be read"))
    for (text, reason) in [("not base64!", "is not base64"), ("AAAA", "has 3"), ("", "has 0")] {
      let path = try folder.write(text, to: "key").path
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
      #expect(try problem { _ = try InputVault(keyFile: path) }.contains(reason))
    }
    let path = folder.file("good").path
    try InputVault.makeKeyFile(at: path)
    for mode in [0o640, 0o604, 0o660] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
      #expect(try problem { _ = try InputVault(keyFile: path) }.contains("by others"))
    }
  }

  @Test func aDerivedSecretBelongsToItsNameAndItsKey() throws {
    let (one, two) = (
      try InputVault(key: Data(repeating: 1, count: 32)), try InputVault(key: Data(repeating: 2, count: 32))
    )
    let again = try InputVault(key: Data(repeating: 1, count: 32))
    #expect(one.derivedSecret("a") == again.derivedSecret("a"))
    #expect(Set([one.derivedSecret("a"), one.derivedSecret("b"), two.derivedSecret("a")]).count == 3)
    #expect(one.derivedSecret("a").utf8.count == 64)
  }

  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  private func problem(_ work: () throws -> Void) throws -> String {
    try #require(#expect(throws: InputVaultError.self) { try work() }).message
  }
}

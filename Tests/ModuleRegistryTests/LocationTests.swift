import HTTPTypes
import ModuleRegistry
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct LocationTests {
  let registry: Registry

  init() throws { registry = try Registry() }

  @Test(
    arguments: [
      ("https://x.example/net.tar.gz", "https://x.example/net.tar.gz", "tar.gz", nil),
      ("https://x.example/net.tgz//modules/a", "https://x.example/net.tgz", "tar.gz", "modules/a"),
      ("https://x.example/net.zip?sig=a%2Fb+c", "https://x.example/net.zip?sig=a%2Fb+c", "zip", nil),
      ("https://x.example/o/1?archive=tar.gz", "https://x.example/o/1", "tar.gz", nil),
      ("https://x.example/o/1?b=2&archive=tgz&a=%2f", "https://x.example/o/1?b=2&a=%2f", "tar.gz", nil),
      ("https://x.example/o.tar.gz?archive=zip&filename=x", "https://x.example/o.tar.gz", "zip", nil),
      (
        "https://api.github.example/repos/a/n/tarball/v1//*?archive=tar.gz",
        "https://api.github.example/repos/a/n/tarball/v1", "tar.gz", "*"
      ),
      ("https://x.example/?u=https://y//z&archive=zip", "https://x.example/?u=https://y//z", "zip", nil),
      ("https://X.example:443/a.zip//./b//c/", "https://x.example/a.zip", "zip", "b/c"),
      ("/archive/net.tgz", "HOME/archive/net.tgz", "tar.gz", nil),
      ("/archive/net.tgz//sub?token=1", "HOME/archive/net.tgz?token=1", "tar.gz", "sub"),
      ("./net.tgz", "HOME/v1/modules/acme/net/aws/1.0.0/net.tgz", "tar.gz", nil),
      ("../../net.tgz//sub/dir", "HOME/v1/modules/acme/net/net.tgz", "tar.gz", "sub/dir"),
      ("../../../../../../../../net.zip", "HOME/net.zip", "zip", nil),
      ("https://x.example/a#fragment.zip?archive=zip", "https://x.example/a", "zip", nil),
      ("http://127.0.0.1:9/net.zip", "http://127.0.0.1:9/net.zip", "zip", nil),
      ("http://[::1]:9/net.zip", "http://[::1]:9/net.zip", "zip", nil),
    ] as [(String, String, String, String?)])
  func anArchiveIsFound(source: String, address: String, format: String, subfolder: String?) async throws {
    let archive = try #require(try await registry.location(source).archive)
    #expect(archive.address.replacing(registry.server.url, with: "HOME") == address)
    #expect(archive.format.rawValue == format)
    #expect(archive.subfolder == subfolder)
  }

  @Test(
    arguments: [
      ("git::https://x.example/a/b.git?ref=v1.0.0", "https://x.example/a/b.git", "v1.0.0", nil),
      ("git::https://x.example/a/b//modules/net?ref=1a2b&depth=1", "https://x.example/a/b", "1a2b", "modules/net"),
      ("git::https://x.example/b.git", "https://x.example/b.git", nil, nil),
      ("git::https://x.example/b.git//a?ref=net%2Fv1", "https://x.example/b.git", "net/v1", "a"),
      ("github.com/acme/net//sub?ref=v1", "https://github.com/acme/net.git", "v1", "sub"),
      ("github.com/acme/net.git", "https://github.com/acme/net.git", nil, nil),
    ] as [(String, String, String?, String?)])
  func aRepositoryIsFound(source: String, url: String, ref: String?, subfolder: String?) async throws {
    let repository = try #require(try await registry.location(source).repository)
    #expect(repository.url == url)
    #expect(repository.ref == ref)
    #expect(repository.subfolder == subfolder)
  }

  @Test(arguments: [
    "file:///etc/passwd", "file:///x.tar.gz", "/..//../x", "git::file:///repo",
    "git::ssh://git@x.example/a/b.git?ref=v1",
    "git::git@github.com:a/b.git", "git@github.com:a/b.git", "ssh://git@x.example/a", "hg::https://x.example/a",
    "s3::https://s3.example/bucket/a.zip?aws_access_key_secret=secret", "gcs::https://x.example/a.zip",
    "ftp://x.example/a.zip",
    "http://x.example/a.zip", "http://169.254.169.254/a.zip", "http://127.0.0.1.example/a.zip",
    "git::http://x.example/a.git",
    "https://user:secret@x.example/a.zip", "git::https://user:secret@x.example/a.git", "https://x.example/a",
    "https://x.example/a?archive=false", "https://x.example/a.tar.xz", "https://x.example/a.zip?archive=tar.bz2",
    "https://x.example/a.zip?checksum=file:https://x.example/sums", "https://x.example/a.zip?checksum=crc:00",
    "https://x.example/a.zip?checksum=sha256:abcd", "https://x.example/a.zip//../b",
    "https://x.example/a.zip//a/../../b",
    "https://x.example/a.zip?archive=zip&archive=tgz", "git::https://x.example/a?ref=--upload-pack=secret",
    "git::https://x.example/a?ref=", "git::https://x.example/a?ref=a%20b", "git::https://x.example/a?ref=HEAD%5E",
    "git::https://x.example/a?sshkey=secret", "git::x.example/a", "github.com/acme", "bitbucket.org/a/b", "net.zip",
    "https:///a.zip", "https://x.example:0/a.zip", "https://x.example\\@y.example/a.zip", "https://x.exa mple/a.zip",
    "ext::sh -c x",
  ])
  func anythingElseIsNamedWithoutItsSecrets(source: String) async throws {
    let reason = try await registry.location(source).reason
    #expect(reason?.contains("cannot be used") == true)
    #expect(reason?.contains("secret") == false)
  }

  @Test func theReasonSaysWhatIsWrong() async throws {
    #expect(
      try await registry.location("http://x.example/secret/a.zip?k=1").reason
        == "'http://x.example/…' cannot be used: 'http' addresses are not read, only https.")
    #expect(
      try await registry.location("git::ssh://git@x.example/a/b.git?ref=v1").reason
        == "'git::ssh://x.example/a/b.git' cannot be used: 'ssh' addresses are not read, only https.")
  }

  @Test func theChecksumIsTakenOutOfTheAddress() async throws {
    let hex = String(repeating: "aB", count: 32)
    let archive = try await registry.location("https://x.example/a.zip?checksum=sha256:\(hex)&x=1").archive
    #expect(archive?.address == "https://x.example/a.zip?x=1")
    #expect(archive?.checksum?.description == "sha256:\(hex.lowercased())")
    let short = try await registry.location("https://x.example/a.zip?checksum=\(String(repeating: "0", count: 32))")
      .archive
    #expect(short?.checksum?.algorithm == .md5)
  }

  @Test func theVersionIsAskedForAsItIsWrittenInLists() async throws {
    registry.server.always("GET /v1/modules/acme/net/aws/2.0.0+b2/download") { _ in
      .status(200, headers: [Registry.get: "/a.zip"])
    }
    let found = try await registry.serve { try await $0.location(of: registry.module, version: "v2.0.0+b2").archive }
    #expect(found != nil)
  }

  @Test(arguments: ["", "1.0", "latest", "1.0.0/../../x", "1.0.0?x", "~> 1.0", "1.0.0\n"])
  func whatIsNoVersionIsNotAskedFor(version: String) async throws {
    let error = try await registry.error { _ = try await $0.location(of: registry.module, version: version) }
    #expect(error?.kind == .invalid)
    #expect(registry.server.calls.isEmpty)
  }

  @Test func withoutTheHeaderThereIsNoLocation() async throws {
    registry.server.on(Registry.download, .status(204), .status(204, headers: [Registry.get: ""]))
    for _ in 0..<2 {
      let error = try await registry.error { _ = try await $0.location(of: registry.module, version: "1.0.0") }
      #expect(error?.kind == .badAnswer)
      #expect(error?.message.contains("X-Terraform-Get") == true)
    }
  }

  @Test func anUnknownVersionIsNotFound() async throws {
    registry.server.on(Registry.download, .status(404))
    let error = try await registry.error { _ = try await $0.location(of: registry.module, version: "1.0.0") }
    #expect(error?.kind == .notFound)
    #expect(error?.message == "'acme/net/aws' has no version 1.0.0, or the token may not see it.")
  }
}

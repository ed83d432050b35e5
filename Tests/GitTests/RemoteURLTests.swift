import Git
import Testing

struct RemoteURLTests {
  @Test(arguments: [
    ("https://GitHub.com/o/r.git", "https://github.com/o/r"),
    ("https://github.com:443/o/r/", "https://github.com/o/r"),
    ("https://git.example.com:8443/a/b/c", "https://git.example.com:8443/a/b/c"),
    ("ssh://git@github.com/o/r.git", "ssh://git@github.com/o/r"),
    ("ssh://git@github.com:22/o/r.git", "ssh://git@github.com/o/r"),
    ("git@github.com:o/r.git", "git@github.com:o/r"),
    ("github.com:o/r", "github.com:o/r"),
    ("http://127.0.0.1:8080/r.git", "http://127.0.0.1:8080/r"),
    ("http://localhost/r.git", "http://localhost/r"),
    ("http://[::1]:80/r.git", "http://[::1]/r"),
  ])
  func oneSpellingIsShown(text: String, shown: String) throws {
    #expect(try RemoteURL(text).publicURL == shown)
  }

  @Test(arguments: [
    "", "-", "--upload-pack=touch /tmp/x", "ext::sh -c touch% /tmp/x", "fd::17", "git://github.com/o/r",
    "ftp://example.com/r", "http://example.com/r", "http://127.0.0.1.example.com/r", "http://localhost.example.com/r",
    "https://", "https://github.com", "https://github.com/", "https:///o/r", "https://user@github.com/o/r",
    "https://user:s3cret@github.com/o/r", "https://s3cret@github.com/o/r", "https://github.com/o/r?x=s3cret",
    "https://github.com/o/r#x", "https://github.com/o/../r", "https://github.com/o\n/r", "https://github.com/o%0a/r",
    "https://github.com/o%00/r", "https://github.com/o%zz/r", "https://-github.com/o", "https://github.com:x/o",
    "https://github.com:0/o", "https://git hub.com/o", "https://github.com/o r", "https://gïthub.com/o",
    "https://a\\b/o", "ssh://-oProxyCommand=touch/o", "ssh://-oProxyCommand=x@host/o", "ssh://a:s3cret@host/o",
    "-oProxyCommand=touch:o", "a@-oProxyCommand=x:o", "git@host:-o", "a:s3cret@host:o", "git@host:", "git@host:../o",
    "nothing", "/srv/modules", "file:///srv/modules", "../modules", "./modules", "host:a\tb", "C:\\modules",
  ])
  func nothingElseIsTaken(text: String) {
    let problem = #expect(throws: RemoteURL.Problem.self) { try RemoteURL(text) }
    #expect(problem?.description.contains("s3cret") == false)
  }

  @Test func pathsAndPlainHTTPNeedPermission() throws {
    #expect(try RemoteURL("/srv//modules.git/", allowing: .localPaths).publicURL == "file:///srv/modules")
    #expect(try RemoteURL("file:///srv/modules", allowing: .localPaths).publicURL == "file:///srv/modules")
    #expect(try RemoteURL("/srv/modules/.git", allowing: .localPaths).publicURL == "file:///srv/modules/.git")
    #expect(try RemoteURL("http://example.com/r", allowing: .plainHTTP).publicURL == "http://example.com/r")
    #expect(throws: RemoteURL.Problem.self) { try RemoteURL("file://host/srv", allowing: .localPaths) }
    #expect(throws: RemoteURL.Problem.self) { try RemoteURL("/srv/../etc", allowing: .localPaths) }
    #expect(throws: RemoteURL.Problem.self) { try RemoteURL("/", allowing: .localPaths) }
  }
}

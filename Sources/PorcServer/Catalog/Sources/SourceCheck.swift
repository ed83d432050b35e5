import Foundation
import Git
import ModuleRegistry
import PorcCore

/// What is wrong with a source's description that only those can tell who read such sources. Whoever takes a description
/// asks here first, so that nothing is found only when it is read; and no URL with a password in it is ever taken.
enum SourceCheck {
  /// - Parameter allowsLocalPaths: whether a repository may be on this machine.
  static func findings(in description: SourceDescription, allowsLocalPaths: Bool) -> [Finding] {
    var findings = findings(in: description.source, allowsLocalPaths: allowsLocalPaths)
    if findings.isEmpty, case .git(let text) = description.source.place {
      findings += misfit(of: description.access, text)
    }
    if let token = description.access.token, !isToken(token) {
      findings.append(Finding(at: "/token", "'token' has \(notInToken) in it.", fix: "Give the token alone."))
    }
    return findings
  }

  /// What is wrong with where it is.
  static func findings(in source: TemplateSource, allowsLocalPaths: Bool) -> [Finding] {
    switch source.place {
    case .git(let text):
      do throws(RemoteURL.Problem) {
        _ = try RemoteURL(text, allowing: allowsLocalPaths ? .localPaths : [])
        return []
      } catch {
        return [Finding(at: "/git", error.description, fix: "Write it like https://github.com/acme/modules.git.")]
      }
    case .registry(let host):
      do throws(InvalidAddress) {
        _ = try RegistryHost(host)
        return modules(source)
      } catch {
        return [Finding(at: "/registry", error.description, fix: "Write it like registry.example.com.")]
          + modules(source)
      }
    case .tfe(let organization):
      if !organization.isEmpty, organization.utf8.allSatisfy(isPlain) { return modules(source) }
      return [Finding(at: "/tfe", "This is no name of an organization.", fix: "Use letters, digits, '-' and '_'.")]
        + modules(source)
    case .folder: return []
    }
  }

  static func fault(_ findings: [Finding]) -> Fault {
    Fault(
      .invalidInput, "The source cannot be read as it is described.",
      fix: findings.count == 1 ? findings[0].fix : "Mend each finding.", findings: findings)
  }

  /// A source for showing: one that would not be taken, which may hold a password, without its place.
  static func shown(_ source: TemplateSource) -> TemplateSource {
    if findings(in: source, allowsLocalPaths: true).isEmpty { return source }
    var shown = source
    shown.modules = []
    shown.place =
      switch source.place {
      case .git: .git("•••")
      case .registry: .registry("•••")
      case .tfe: .tfe("•••")
      case .folder(let folder): .folder(folder)
      }
    return shown
  }

  /// Whether a text can be a token: it goes into a header (RFC 9110, section 5.5).
  static func isToken(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { 0x21...0x7E ~= $0 } }

  /// What a token never has.
  static let notInToken = "spaces, line ends or letters beyond ASCII"

  /// Modules as `NAMESPACE/NAME/SYSTEM`.
  private static func modules(_ source: TemplateSource) -> [Finding] {
    source.modules.enumerated().compactMap { index, text in
      do throws(InvalidAddress) {
        _ = try ModuleAddress(text)
        return nil
      } catch {
        return Finding(at: "/modules/\(index)", error.description, fix: "Write it as NAMESPACE/NAME/SYSTEM.")
      }
    }
  }

  /// Credentials of the wrong kind for where the repository is.
  private static func misfit(of access: SourceAccess, _ text: String) -> [Finding] {
    let hasToken = [access.token, access.tokenVariable, access.tokenFile, access.app?.app].contains { $0 != nil }
    let credentials: Credentials = access.sshKeyFile.map { .sshKey(file: $0) } ?? (hasToken ? .token("•••") : .none)
    guard let remote = try? RemoteURL(text, allowing: .localPaths) else { return [] }
    do throws(GitError) {
      _ = try Mirror(remote: remote, credentials: credentials, folder: URL(filePath: "/"))
      return []
    } catch {
      return [Finding(at: "", error.message, fix: error.fix)]
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

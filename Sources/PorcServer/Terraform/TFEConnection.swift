public import Foundation
import HCL
import PorcCore
import TerraformEnterprise

/// Where PORC's workspaces live in TFE, and how they are told apart from anybody else's.
public struct TFESettings: Sendable {
  public var address: URL
  public var token: String
  public var organization: String
  /// The project of new workspaces; the organization's default one if none is named.
  public var project: String?
  /// What workspace names begin with.
  public var workspacePrefix: String
  /// Names this PORC in the tag `porc-installation`, so that two of them never share a workspace.
  public var installation: String
  /// Only what is named here is sent for new workspaces, and repaired.
  public var executionMode: String?
  /// Where PORC is seen from outside, without a slash at the end: workspaces name it as their source.
  public var publicURL: String?
  /// A plan begins only while fewer of PORC's runs than this plan or apply there.
  public var maximumRuns = 50
  /// TFE's limit on calls a second for the token; `nil` for the published one, or the one that its answers say; 0 for none.
  public var callsPerSecond: Int?

  public init(
    address: URL, token: String, organization: String, project: String? = nil, workspacePrefix: String = "porc-",
    installation: String = "porc", executionMode: String? = nil
  ) {
    self.address = address
    self.token = token
    self.organization = organization
    self.project = project
    self.workspacePrefix = workspacePrefix
    self.installation = installation
    self.executionMode = executionMode
  }

  /// At most 90 characters, as TFE recommends; a longer one keeps its beginning and a digest of the whole.
  func workspaceName(of instance: Instance.ID) -> String {
    let name = workspacePrefix + instance.rawValue
    guard name.utf8.count > 90 else { return name }
    return name.prefix(77) + "-" + Digest.sha256(Data(name.utf8)).prefix(12)
  }
}

/// The token is never printed, whoever prints them.
extension TFESettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "organization \(organization) at \(address.absoluteString), token •••" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Something in TFE that PORC may not touch, or that TFE refuses: the plan fails with this reason.
struct TFERefusal: Error {
  var failure: Failure
}

extension TFEError {
  /// Whether TFE will not do it, and never will if it is asked the same again. A token is another matter: it says nothing
  /// about what was asked, and somebody mends it.
  var isRefusal: Bool { !isRetryable && wasNotExecuted && kind != .unauthorized }
}

extension Failure {
  /// What TFE answered to a call that will not go better if repeated.
  init(_ error: TFEError, doing what: String) {
    self.init("Terraform Enterprise refused to \(what)", detail: error.message)
  }
}

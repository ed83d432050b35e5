public import Foundation
public import PorcCore
public import PortPortal

/// How the portal is spoken to.
public struct PortalSettings: Sendable {
  public var baseURL: URL
  public var credentials: PortClient.Credentials
  public var dialect: PortClient.Dialect
  public var names = PortNames()
  /// What an organization adds to what PORC shows.
  public var extras = ExtraProperties()
  /// Whether Port's agent, inside of the network, calls PORC when a button is pressed.
  public var usesAgent = false
  /// Whether the portal's user counts as who pressed a button, on the word of the token that lies in Port.
  public var impersonates = true
  /// Whether Port is brought at start to what PORC needs there: its blueprints, buttons and secret.
  public var setsUp: Bool
  /// Who sets Port up in its own dialect, where it is otherwise spoken to plainly: only the embedded Port speaks both.
  public var setUpCredentials: PortClient.Credentials?
  /// Which share of what the portal shows may go from it at once, from 0 to 1; more waits for somebody's word.
  public var removalLimit = 0.25
  public var buttons = ButtonSettings()

  public init(
    baseURL: URL, credentials: PortClient.Credentials, dialect: PortClient.Dialect = .api, setsUp: Bool = false
  ) {
    self.baseURL = baseURL
    self.credentials = credentials
    self.dialect = dialect
    self.setsUp = setsUp
  }
}

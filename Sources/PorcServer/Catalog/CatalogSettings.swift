public import Foundation
public import Git
public import PorcCore

/// Where templates come from, and what reading them may cost.
public struct CatalogSettings: Sendable {
  /// Folders that hold `NAME/VERSION/` modules.
  public var folders: [String] = []
  /// The sources that the configuration describes.
  public var sources: [SourceDescription] = []
  /// Seconds between two looks at the sources.
  public var interval: TimeInterval = 30
  /// Where copies of repositories are kept; what is in it can be made anew.
  public var cacheFolder = ""
  /// Whether a source that is added may be a repository on this machine.
  public var allowsLocalPaths = false
  /// What one repository may cost.
  public var limits = Limits()
  /// The secrets that GitHub may sign its webhooks with; none: webhooks are refused.
  public var webhookSecrets: [String] = []

  public init() {
    limits.treeBytes = 20 << 20
  }
}

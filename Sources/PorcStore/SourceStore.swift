public import Foundation
public import PorcCore

/// Where templates come from: what was added at run time, and how each source did.
public protocol SourceStore: Sendable {
  /// By name.
  func sources() async throws -> [SourceRecord]

  /// - Returns: false if there is one of this name; then nothing is added.
  func addSource(_ source: TemplateSource, secret: Data?) async throws -> Bool

  /// Removes one that was added. Its templates stay until they are given up.
  ///
  /// - Returns: whether there was one.
  func removeSource(_ name: String) async throws -> Bool

  /// Keeps how a source did, and the fingerprint of what was read, for the next look; `nil` leaves the one there is.
  func noteSource(_ name: String, fingerprint: String?, report: SourceReport) async throws

  /// Remembers a delivery of a webhook, for 30 days.
  ///
  /// - Returns: whether it is new.
  func takeDelivery(_ id: String, from sender: String) async throws -> Bool
}

/// A source as the store knows it.
public struct SourceRecord: Sendable, Equatable {
  public var name: String
  /// Absent where the configuration alone names it.
  public var source: TemplateSource?
  /// What signs PORC in there, sealed.
  public var secret: Data?
  public var fingerprint: String?
  public var report: SourceReport?

  public init(
    name: String, source: TemplateSource? = nil, secret: Data? = nil, fingerprint: String? = nil,
    report: SourceReport? = nil
  ) {
    self.name = name
    self.source = source
    self.secret = secret
    self.fingerprint = fingerprint
    self.report = report
  }
}

public import Foundation
public import HCL

/// The deployed thing a blueprint describes: one TFE workspace, one entity in the portal.
public struct Instance: Codable, Sendable, Equatable, Identifiable {
  /// The blueprint's `metadata.name`.
  public struct ID: TextIdentifier {
    public let rawValue: String
    public init(_ rawValue: String) { self.rawValue = rawValue }
  }

  public let id: ID
  /// The name of its template; another is possible only after it was destroyed.
  public internal(set) var templateName: String
  /// The run that holds the instance, from its `plan` until its end.
  public internal(set) var holder: Run.ID?
  /// Runs whose plan was accepted and waits for the holder to end, in the order they asked.
  public internal(set) var waiting: [Run.ID] = []
  public internal(set) var newest: Run.ID
  public internal(set) var workspace: Workspace?
  /// Whether a plan ever put sensitive variables into the workspace: if so, later plans look after them.
  public internal(set) var holdsSensitiveVariables = false
  /// What the last finished apply left there.
  public internal(set) var deployed: Deployed?
  /// The run a destroy goes by: the last applied one, else the last that began to apply.
  public internal(set) var basis: Basis?
  /// The inputs, region and repository that the portal shows: the current run's once it is built, until then what was
  /// shown before. None where a new life has begun.
  public internal(set) var shown: Submission?
  /// The Terraform version that the template of the last plan in the workspace asked for.
  public internal(set) var terraformVersion: String?
  /// Why TFE does not let the workspace go, though the instance is destroyed and its retention over.
  public internal(set) var removalRefusal: Failure?
  /// When it was destroyed; a new blueprint begins its next life.
  public internal(set) var destroyedAt: Date?
  /// The life that a run submitted now belongs to. A destroy is the last run of a life.
  public internal(set) var life = 1
  /// The last life that a destroy has ended; runs of it cannot be planned any more.
  public internal(set) var endedLife = 0

  /// The run that portals show: the holder, else the newest submitted.
  public var currentRun: Run.ID { holder ?? newest }
}

/// The TFE workspace of an instance.
public struct Workspace: Codable, Sendable, Hashable {
  /// `ws-…`
  public var id: String
  public var name: String
  public init(id: String, name: String) {
    self.id = id
    self.name = name
  }
}

/// What really runs: told only by an apply or a destroy that has finished.
public struct Deployed: Codable, Sendable, Equatable {
  public var template: TemplateReference
  public var run: Run.ID
  /// The TFE run that applied it; none where the plan had no changes and no TFE run.
  public var tfeRunID: String?
  public var at: Date
  public var outputs: [String: Output]
}

/// An output of the deployed configuration. A sensitive one has no value here.
public struct Output: Codable, Sendable, Equatable {
  public var value: Value?
  public var isSensitive: Bool
  public init(value: Value?, isSensitive: Bool) {
    self.value = isSensitive ? nil : value
    self.isSensitive = isSensitive
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    // An output that is null is not one without a value.
    value = container.contains(.value) ? try container.decode(Value.self, forKey: .value) : nil
    isSensitive = try container.decode(Bool.self, forKey: .isSensitive)
  }

  enum CodingKeys: String, CodingKey {
    case value
    case isSensitive = "sensitive"
  }
}

/// What a destroy needs to know of the run it removes.
public struct Basis: Codable, Sendable, Equatable {
  public var run: Run.ID
  public var configurationVersionID: String
  /// Whether that run's apply finished.
  public var isApplied: Bool
}

/// Everything a decision about an instance looks at: the instance and the runs involved (the one addressed, the holder,
/// those waiting, the newest). The store locks all of it while a decision is made and recorded.
public struct Situation: Sendable, Equatable {
  public internal(set) var instance: Instance
  public internal(set) var runs: [Run.ID: Run]

  public init(instance: Instance, runs: [Run.ID: Run]) {
    self.instance = instance
    self.runs = runs
  }

  public var holder: Run? { instance.holder.flatMap { runs[$0] } }
  /// The run that portals show.
  public var currentRun: Run? { runs[instance.currentRun] }
}

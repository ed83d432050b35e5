public import Foundation
public import HCL

/// One submission of a blueprint on its way through submit, build, plan and apply, or the removal of what was deployed.
public struct Run: Codable, Sendable, Equatable, Identifiable {
  /// `porc-` and a lower-case ULID: sorts by the time of submission.
  public struct ID: TextIdentifier {
    public let rawValue: String
    public init(_ rawValue: String) { self.rawValue = rawValue }
  }

  /// What the run does to the instance once applied.
  public enum Operation: String, Codable, Sendable, CaseIterable { case apply, destroy }

  public let id: ID
  public let instance: Instance.ID
  public let submission: Submission
  public let submittedAt: Date
  /// The life of the instance that it belongs to: once a destroy has ended that life, the run cannot be planned.
  public let life: Int

  public internal(set) var state: RunState = .submitted
  /// SHA-256 of the bundle, once built. A destroy has none: it goes by the instance's ``Instance/basis``.
  public internal(set) var bundle: String?
  /// A plan that was asked for and has not begun: it waits for its turn or for the build.
  public internal(set) var request: PlanRequest?
  /// All plans, numbered from 1; the last one that was not withdrawn is the current one.
  public internal(set) var plans: [Plan] = []
  public internal(set) var failure: Failure?
  /// Whether an apply ended half-way.
  public internal(set) var isPartial = false
  /// Until TFE says what became of it, or the phase it was about is over.
  public internal(set) var cancelRequestedAt: Date?
  public internal(set) var cancelRequestedBy: Caller?
  public internal(set) var builtAt: Date?
  public internal(set) var updatedAt: Date
  /// What a worker has learned it waits for outside, and since when.
  public internal(set) var wait: Wait?
  public internal(set) var waitsSince: Date?
  /// When it last ceased to wait for something, in the state that it is in.
  public internal(set) var waitEndedAt: Date?

  public var operation: Operation { submission.operation }
  /// The plan that apply, approve and discard are about.
  public var currentPlan: Plan? { plans.last { $0.withdrawal == nil } }
  public var isBuilt: Bool { bundle != nil }

  /// The number of the plan whose TFE run has this id.
  public func plan(tfeRunID: String) -> Plan? { plans.last { $0.tfeRunID == tfeRunID } }
  public func plan(number: Int) -> Plan? { plans.first { $0.number == number } }

  init(id: ID, instance: Instance.ID, submission: Submission, at time: Date, life: Int) {
    self.id = id
    self.instance = instance
    self.submission = submission
    self.submittedAt = time
    self.updatedAt = time
    self.life = life
  }
}

/// Why something failed, in the words of whoever failed it.
public struct Failure: Codable, Sendable, Equatable {
  /// One line, e.g. Terraform's own `Error: Invalid value for variable`.
  public var summary: String
  public var detail: String?
  /// The resource it is about, e.g. `aws_s3_bucket.this`.
  public var address: String?

  public init(_ summary: String, detail: String? = nil, address: String? = nil) {
    self.summary = summary
    self.detail = detail
    self.address = address
  }

  /// Summary, address and detail as one text.
  public var text: String {
    let detail = detail.flatMap { $0.isEmpty ? nil : $0 }
    // A sentence ends where no more follows.
    let start = summary.hasSuffix(".") && (address ?? detail) != nil ? String(summary.dropLast()) : summary
    let head = address.map { "\(start) (\($0))" } ?? start
    return detail.map { "\(head): \($0)" } ?? head
  }

  /// Summary and detail where both are sentences.
  var sentences: String {
    guard let detail, !detail.isEmpty else { return summary }
    return summary.hasSuffix(".") ? "\(summary) \(detail)" : "\(summary). \(detail)"
  }
}

/// Who asked for something: the token it came with, or the person a portal vouches for.
public struct Caller: Codable, Sendable, Hashable {
  /// The token's id; two callers are the same person's only if these are equal.
  public var id: String
  public var name: String
  public init(id: String, name: String) {
    self.id = id
    self.name = name
  }
}

/// What was submitted, without the value of any sensitive input.
public struct Submission: Codable, Sendable, Equatable {
  public var operation: Run.Operation
  public var template: TemplateReference
  public var submitter: Caller
  public var metadata: BlueprintMetadata
  /// Converted to the types of the template's variables; sensitive ones are absent.
  public var inputs: [String: Value]
  /// The names of the inputs whose values are kept encrypted.
  public var sensitiveInputs: [String]
  /// The value of the input that the template calls its region.
  public var region: String?
  /// Demanded by the blueprint, the template or the server; none can waive what another demands.
  public var requiresApproval: Bool
  /// SHA-256 of the canonical blueprint document.
  public var blueprintDigest: String
  /// Keyed digest of the sensitive inputs, or none.
  public var sensitiveDigest: String?

  enum CodingKeys: String, CodingKey {
    case operation, template, submitter, metadata, inputs, region
    case sensitiveInputs = "sensitive_inputs"
    case requiresApproval = "requires_approval"
    case blueprintDigest = "blueprint_digest"
    case sensitiveDigest = "sensitive_digest"
  }

  public init(
    operation: Run.Operation, template: TemplateReference, submitter: Caller, metadata: BlueprintMetadata,
    inputs: [String: Value], sensitiveInputs: [String], region: String?, requiresApproval: Bool,
    blueprintDigest: String, sensitiveDigest: String?
  ) {
    self.operation = operation
    self.template = template
    self.submitter = submitter
    self.metadata = metadata
    self.inputs = inputs
    self.sensitiveInputs = sensitiveInputs
    self.region = region
    self.requiresApproval = requiresApproval
    self.blueprintDigest = blueprintDigest
    self.sensitiveDigest = sensitiveDigest
  }
}

/// The exact template version a run was built from, as it was when the run was submitted.
public struct TemplateReference: Codable, Sendable, Hashable {
  public var id: Template.ID
  public var name: String
  public var version: String
  public var repoURL: String?
  public var commit: String?
  /// SHA-256 of the archive of the module's files: the run always builds from exactly these.
  public var archive: String
  /// A Terraform version constraint for the workspace, where the template asks for one.
  public var terraformVersion: String?

  enum CodingKeys: String, CodingKey {
    case id, name, version, commit, archive
    case repoURL = "repo_url"
    case terraformVersion = "terraform_version"
  }

  public init(
    id: Template.ID, name: String, version: String, repoURL: String?, commit: String?, archive: String,
    terraformVersion: String? = nil
  ) {
    self.id = id
    self.name = name
    self.version = version
    self.repoURL = repoURL
    self.commit = commit
    self.archive = archive
    self.terraformVersion = terraformVersion
  }
}

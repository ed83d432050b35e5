public import HCL

/// What happened to an instance, for those who follow what there is rather than how it came to be: it is told from the
/// difference that a decision made, and the facts behind it are its runs'.
public struct InstanceEvent: Sendable, Equatable {
  /// Stored and sent over the wire: never rename or reuse one.
  public enum Name: String, Sendable, CaseIterable {
    /// The first blueprint under its name was submitted, or the first one of its next life.
    case created = "instance_created"
    /// Its current run has another title, environment, owner, repository or template version than was shown before.
    case changed = "instance_changed"
    /// An apply has finished: what really runs is another now.
    case deployed = "instance_deployed"
    /// A destroy has finished. It stays listed for its retention.
    case destroyed = "instance_destroyed"
    /// It is out of the list, and its workspace gone.
    case removed = "instance_removed"
  }

  public var name: Name
  /// The run that it came by.
  public var run: Run.ID
  public var template: Template.ID
  public var data: [String: Value]

  /// Its removal, after `run` had destroyed it.
  public static func removed(after run: Run.ID, template: Template.ID) -> InstanceEvent {
    InstanceEvent(name: .removed, run: run, template: template, data: [:])
  }

  /// What a decision about an instance did to it.
  ///
  /// - Parameters:
  ///   - before: `nil` where there was no such instance.
  ///   - run: the one that was decided about.
  public static func events(from before: Situation?, to after: Situation, by run: Run.ID) -> [InstanceEvent] {
    guard let current = after.currentRun else { return [] }
    let instance = after.instance
    var events: [InstanceEvent] = []
    if let deployed = instance.deployed, deployed != before?.instance.deployed {
      events.append(InstanceEvent(deployed))
    }
    let hasEnded = instance.endedLife > (before?.instance.endedLife ?? 0)
    if hasEnded {
      events.append(
        InstanceEvent(name: .destroyed, run: run, template: current.submission.template.id, data: [:]))
    }
    guard instance.destroyedAt == nil else { return events }
    let wasThere = before.map { $0.instance.destroyedAt == nil } ?? false
    if !wasThere || hasEnded {
      events.append(InstanceEvent(.created, current))
    } else if let shown = before?.currentRun, !shown.submission.isShown(as: current.submission) {
      events.append(InstanceEvent(.changed, current))
    }
    return events
  }

  private init(name: Name, run: Run.ID, template: Template.ID, data: [String: Value]) {
    self.name = name
    self.run = run
    self.template = template
    self.data = data
  }

  private init(_ name: Name, _ run: Run) {
    let metadata = run.submission.metadata
    self.init(
      name: name, run: run.id, template: run.submission.template.id,
      data: [
        "title": metadata.title, "environment": metadata.environment, "owner": metadata.owner,
        "repo_url": metadata.repoURL,
      ].compactMapValues { $0.map(Value.string) })
  }

  private init(_ deployed: Deployed) {
    self.init(
      name: .deployed, run: deployed.run, template: deployed.template.id,
      data: ["tfe_run_id": deployed.tfeRunID, "commit": deployed.template.commit].compactMapValues {
        $0.map(Value.string)
      })
  }
}

extension Submission {
  /// Whether the two look alike in a list of instances.
  fileprivate func isShown(as other: Submission) -> Bool {
    template.id == other.template.id && metadata.title == other.metadata.title
      && metadata.environment == other.metadata.environment && metadata.owner == other.metadata.owner
      && metadata.repoURL == other.metadata.repoURL
  }
}

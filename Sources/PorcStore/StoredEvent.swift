public import Foundation
public import HCL
public import PorcCore

/// An event with its place in the one order.
public struct StoredEvent: Sendable, Equatable {
  public enum Event: Sendable, Equatable {
    case run(RunEvent)
    /// Of an instance or a template: its name, and what is told with it.
    case other(String, data: Value)
  }

  public var position: Int64
  public var at: Date
  /// The run that it is about or, of an instance, that it came by.
  public var run: Run.ID?
  public var instance: Instance.ID?
  /// Of an instance, the template version that it is about.
  public var template: Template.ID?
  public var event: Event

  public var name: String {
    switch event {
    case .run(let event): event.name
    case .other(let name, _): name
    }
  }

  /// `nil` for what is not about a run.
  public var fact: Fact? {
    guard case .run(let event) = event, let run else { return nil }
    return Fact(run: run, event: event, at: at)
  }
}

/// What an event is about.
public enum EventSubject: String, Sendable, CaseIterable { case run, instance, template }

/// Whose events; `nil` means any.
public struct EventFilter: Sendable, Hashable {
  public var subject: EventSubject?
  /// Facts about this run.
  public var run: Run.ID?
  /// What is about this instance, in all its lives, and about its runs.
  public var instance: Instance.ID?

  public init(subject: EventSubject? = nil, run: Run.ID? = nil, instance: Instance.ID? = nil) {
    self.subject = subject
    self.run = run
    self.instance = instance
  }

  public static let all = EventFilter()
  public static func run(_ id: Run.ID) -> EventFilter { EventFilter(subject: .run, run: id) }
}

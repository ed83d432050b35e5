public import HCL

/// What happened to a template in the catalog.
public struct TemplateEvent: Sendable, Equatable {
  /// Stored and sent over the wire: never rename or reuse one.
  public enum Name: String, Sendable, CaseIterable {
    /// It can be had from now on, for the first time or again.
    case added = "template_added"
    /// Its content is another, or what is said of it, such as its status.
    case changed = "template_changed"
    /// It takes no new runs, since it says so or since its source has it no more.
    case retired = "template_retired"
    /// It is gone.
    case removed = "template_removed"
  }

  public var name: Name
  public var data: [String: Value]

  public init(_ name: Name, _ template: Template) {
    self.name = name
    data = [
      "module_path": template.modulePath, "name": template.name, "version": template.version.description,
      "status": template.status.rawValue, "source": template.source, "commit": template.commit,
    ].compactMapValues { $0.map(Value.string) }
  }

  /// Of a template of which only the identifier is left.
  public static let removed = TemplateEvent(name: .removed, data: [:])

  private init(name: Name, data: [String: Value]) {
    self.name = name
    self.data = data
  }

  /// What storing `template` does.
  ///
  /// - Parameter before: the status of the one that was there; `nil` where there was none, or only one that its source
  ///   had no more.
  public static func storing(_ template: Template, over before: Template.Status?) -> TemplateEvent {
    guard let before else { return TemplateEvent(.added, template) }
    return TemplateEvent(template.status == .retired && before != .retired ? .retired : .changed, template)
  }
}

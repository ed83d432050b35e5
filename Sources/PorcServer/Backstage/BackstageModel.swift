import Foundation
import HCL
import PorcCore

/// What Backstage's catalog shows of PORC, in Backstage's words. Pure, and the one place where this is decided.
///
/// A template version is a `Component` (or a `Resource`) of the type `terraform-module`, an instance a `Resource` of its
/// template's name. Instances are part of the `System` of their environment, everything else of the installation's.
struct BackstageModel: Sendable {
  let settings: BackstageSettings
  /// See ``TFESettings/installation``.
  let installation: String
  let links: TFELinks
  /// The project of new workspaces.
  let project: String?

  // MARK: Systems

  /// - Parameter environment: of instances; `nil` for the installation as a whole.
  func system(_ environment: String?) -> BackstageEntity {
    let title = environment.flatMap { Self.line($0, atMost: 100) }
    return entity(
      .system, systemName(environment),
      title: [Self.line(installation, atMost: 100), title].compactMap(\.self).joined(separator: " "),
      description: title.map { "What PORC has deployed in the environment \($0)." }
        ?? "What PORC offers, and what it has deployed in no particular environment.",
      annotations: [:], spec: ["owner": .string(owner(nil))])
  }

  private func systemName(_ environment: String?) -> String {
    EntityName.safe(environment.map { "\(installation)-\($0)" } ?? installation)
  }

  private func reference(toSystem environment: String?) -> Value {
    .string("system:\(settings.namespace)/\(systemName(environment))")
  }

  // MARK: Templates

  /// - Returns: `nil` for one that takes no new runs.
  func template(_ template: Template) -> BackstageEntity? {
    guard template.status != .retired else { return nil }
    let place = template.repoURL.flatMap { RepositoryPlace($0) }
    var annotations = repository(place, at: template.commit)
    annotations["backstage.io/view-url"] = place?.folder(at: template.commit) ?? links.organizationPage
    own(
      [
        "template": template.id.rawValue, "version": template.version.description, "commit": template.commit,
        "source": template.source,
      ], in: &annotations)
    var spec: [String: Value] = [
      "type": "terraform-module", "owner": .string(owner(template.owner)), "system": reference(toSystem: nil),
    ]
    let kind: BackstageEntity.Kind
    switch settings.templateKind {
    case .component:
      kind = .component
      spec["lifecycle"] = template.status == .active ? "production" : "deprecated"
    case .resource:
      kind = .resource
      annotations.merge(scaffolder(template, place)) { mine, _ in mine }
    }
    var entity = entity(
      kind, name(of: template.id), title: template.title ?? template.modulePath, description: template.description,
      annotations: annotations, labels: ["status": template.status.rawValue, "template": template.name],
      links: [
        link(place?.folder(at: template.commit), "Source", icon: place?.projectSlug == nil ? "catalog" : "github")
      ],
      spec: spec)
    entity.isTemplate = true
    return entity
  }

  /// In the place of a resource a template has a name that no instance can have.
  private func name(of template: Template.ID) -> String {
    EntityName.safe(template.rawValue, prefix: settings.templateKind == .resource ? "template_" : "")
  }

  /// What TeraSky's form field looks for. It reads `variables.tf` at the root of a GitHub repository.
  private func scaffolder(_ template: Template, _ place: RepositoryPlace?) -> [String: String] {
    guard let place, let slug = place.projectSlug, place.url.hasSuffix("/\(slug)") else { return [:] }
    let prefix = "terasky.backstage.io/terraform-module-"
    return ["url": place.url, "name": template.name, "ref": template.commit, "description": template.description]
      .compactMapValues { $0.flatMap { Self.line($0) } }
      .reduce(into: [:]) { $0[prefix + $1.key] = $1.value }
  }

  // MARK: Instances

  /// - Parameter offered: the templates that are in the catalog.
  /// - Returns: `nil` for one that is destroyed.
  func instance(_ situation: Situation, offered: Set<Template.ID>) -> BackstageEntity? {
    let instance = situation.instance
    guard instance.destroyedAt == nil, let run = situation.currentRun else { return nil }
    let metadata = run.submission.metadata
    let template = run.submission.template
    let place = metadata.repoURL.flatMap { RepositoryPlace($0) }
    let workspacePage = instance.workspace.map { links.workspace($0) }
    let runPage = instance.workspace.flatMap { workspace in
      run.currentPlan?.tfeRunID.map { links.run($0, in: workspace) }
    }

    var annotations = repository(place, at: nil)
    annotations["backstage.io/view-url"] = workspacePage ?? place?.folder(at: nil) ?? links.organizationPage
    // The plugins show an error for a workspace that is not there.
    if let workspace = instance.workspace {
      annotations["terraform/organization"] = links.organization
      annotations["terraform/workspaces"] = workspace.name
      annotations["terraform.io/organization"] = links.organization
      annotations["terraform.io/workspace"] = workspace.name
      annotations["terraform.io/project"] = project
    }
    own(
      [
        "run-id": run.id.rawValue, "tfe-run-id": run.currentPlan?.tfeRunID, "status": run.state.rawValue,
        "operation": run.operation.rawValue, "template": template.id.rawValue, "version": template.version,
        "commit": template.commit, "environment": metadata.environment, "region": run.submission.region,
        "waiting-for": situation.waitingFor(run), "last-error": run.failure?.text,
        "workspace-id": instance.workspace?.id, "deployed-template": instance.deployed?.template.id.rawValue,
        "deployed-run-id": instance.deployed.map { $0.tfeRunID ?? $0.run.rawValue },
        "deployed-at": instance.deployed.map { Timestamp.text($0.at) },
      ], in: &annotations)

    // What runs there, or else what is to run there. A reference to what is not in the catalog would be a warning on the page.
    let used = instance.deployed?.template.id ?? template.id
    let type = Self.line(instance.templateName, atMost: 200) ?? "terraform"
    var spec: [String: Value] = [
      "type": .string(type), "owner": .string(owner(metadata.owner)),
      "system": reference(toSystem: metadata.environment),
    ]
    if offered.contains(used) {
      spec["dependsOn"] = [.string("\(settings.templateKind.rawValue):\(settings.namespace)/\(name(of: used))")]
    }
    var entity = entity(
      .resource, EntityName.safe(instance.id.rawValue), title: metadata.title,
      description: "\(template.name) \(template.version)", annotations: annotations,
      labels: ["status": run.state.rawValue, "environment": metadata.environment, "template": template.name],
      links: [
        link(runPage, "Terraform run", icon: "dashboard", type: "terraform-run"),
        link(workspacePage, "Terraform workspace", icon: "dashboard", type: "terraform-workspace"),
        link(place?.folder(at: nil), "Repository", icon: place?.projectSlug == nil ? "catalog" : "github"),
      ], spec: spec)
    entity.environment = metadata.environment
    entity.uses = used
    return entity
  }

  // MARK: The pages of a large catalog

  /// What names the pages, relative to itself: the address of the feed is in no entity.
  func location(pages: Int) -> BackstageEntity {
    entity(
      .location, EntityName.safe(installation), title: nil, description: "What PORC offers and has deployed.",
      annotations: [:],
      spec: ["type": "url", "targets": .array((1...pages).map { .string("./\($0).yaml") })])
  }

  // MARK: Parts

  private func entity(
    _ kind: BackstageEntity.Kind, _ name: String, title: String?, description: String?,
    annotations: [String: String], labels: [String: String?] = [:], links: [Value?] = [], spec: [String: Value]
  ) -> BackstageEntity {
    var annotations = annotations
    // Everybody who may look into the catalog sees these. They name PORC, and not the feed: its address has the token in it.
    // What names pages beside itself is where Backstage has read it.
    if kind != .location {
      let origin = "porc:\(EntityName.safe(installation))"
      annotations["backstage.io/managed-by-location"] = origin
      annotations["backstage.io/managed-by-origin-location"] = origin
    }
    if annotations["backstage.io/view-url"] == nil {
      // Else Backstage takes the feed's address for it.
      annotations["backstage.io/view-url"] = self.links.organizationPage
    }
    var metadata: [String: Value] = [
      "name": .string(name), "namespace": .string(settings.namespace),
      "annotations": .object(annotations.compactMapValues { Self.line($0).map(Value.string) }),
    ]
    metadata["title"] = title.flatMap { Self.line($0, atMost: 200) }.map(Value.string)
    metadata["description"] = description.flatMap { Self.line($0, atMost: 1000) }.map(Value.string)
    let labels = labels.compactMapValues { $0.flatMap { EntityName.isName($0) ? Value.string($0) : nil } }
    if !labels.isEmpty {
      metadata["labels"] = .object(
        Dictionary(uniqueKeysWithValues: labels.map { ("\(settings.annotationPrefix)/\($0.key)", $0.value) }))
    }
    let links = links.compactMap(\.self)
    if !links.isEmpty { metadata["links"] = .array(links) }
    if kind != .location && kind != .system { metadata["tags"] = ["terraform"] }
    return BackstageEntity(
      kind: kind, name: name,
      document: [
        "apiVersion": "backstage.io/v1alpha1", "kind": .string(kind.word), "metadata": .object(metadata),
        "spec": .object(spec),
      ])
  }

  private func owner(_ text: String?) -> String {
    [text, settings.defaultOwner, installation].lazy.compactMap { $0.flatMap { OwnerReference($0) } }.first?.text
      ?? "group:default/porc"
  }

  private func repository(_ place: RepositoryPlace?, at commit: String?) -> [String: String] {
    guard let place else { return [:] }
    return ["backstage.io/source-location": "url:\(place.folder(at: commit))"].merging(
      place.projectSlug.map { ["github.com/project-slug": $0] } ?? [:]
    ) { $1 }
  }

  private func own(_ facts: [String: String?], in annotations: inout [String: String]) {
    for case (let key, let text?) in facts {
      if let line = Self.line(text) { annotations["\(settings.annotationPrefix)/\(key)"] = line }
    }
  }

  private func link(_ url: String?, _ title: Value, icon: Value, type: Value? = nil) -> Value? {
    guard let url else { return nil }
    var link: [String: Value] = ["url": .string(url), "title": title, "icon": icon]
    link["type"] = type
    return .object(link)
  }

  /// One line of what every YAML reader takes: without control characters, and with one space in the place of blanks and
  /// line ends; `nil` where nothing is left.
  static func line(_ text: String, atMost length: Int = 1000) -> String? {
    var (line, count) = (String.UnicodeScalarView(), 0)
    for scalar in text.unicodeScalars {
      let isBlank = scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
      if isBlank ? line.last == " " || line.isEmpty : scalar == "\u{FEFF}" || scalar.properties.isNoncharacterCodePoint
      {
        continue
      }
      guard count < length else {
        line.removeLast()
        line.append("…")
        break
      }
      line.append(isBlank ? " " : scalar)
      count += 1
    }
    while line.last == " " { line.removeLast() }
    return line.isEmpty ? nil : String(line)
  }
}

/// An entity of Backstage's catalog.
struct BackstageEntity: Sendable {
  enum Kind: String, Sendable, CaseIterable {
    case system, component, resource, location

    var word: String { rawValue.capitalized }
  }

  var kind: Kind
  var name: String
  var document: Value
  var isTemplate = false
  /// Of an instance.
  var environment: String?
  /// Of an instance: the template that it depends on, where that is in the catalog.
  var uses: Template.ID?
}

extension TFELinks {
  /// The page that is always there.
  var organizationPage: String { "\(address)/app/\(organization.pathSegment)/workspaces" }
}

import Crypto
import Foundation
import HCL
import NIOCore
import PorcCore
import PorcStore

/// All entities as they go over the wire. An entity is rendered when what it shows has changed, and kept: a poll that finds
/// nothing new reads two numbers.
actor BackstageFeed {
  private let store: any Store
  private let catalog: CatalogCache
  private let model: BackstageModel

  /// What the entities were made from.
  private struct State {
    /// Of the events: of every instance with a later one there may be something new.
    var position: Int64
    var catalogVersion: Int64
    var templates: [Template.ID: (source: Template, entity: RenderedEntity?)]
    var instances: [Instance.ID: RenderedEntity]
    var snapshot: BackstageSnapshot
  }

  private var state: State?
  private var refresh: Task<State, any Error>?

  private static let page = 500

  init(store: any Store, catalog: CatalogCache, model: BackstageModel) {
    self.store = store
    self.catalog = catalog
    self.model = model
  }

  /// What there is now.
  ///
  /// - Throws: what kept it from being read: there is no part of it then.
  func snapshot() async throws -> BackstageSnapshot {
    // Whoever comes while it is brought up to date waits for that; what came after it had begun is in the next.
    if let refresh { return try await refresh.value.snapshot }
    let (store, before) = (store, state)
    if let before, try await store.lastPosition() == before.position,
      try await store.catalogVersion() == before.catalogVersion
    {
      return before.snapshot
    }
    // Another caller may have begun meanwhile.
    if let refresh { return try await refresh.value.snapshot }
    let task = Task { try await present(since: state) }
    refresh = task
    defer { refresh = nil }
    let now = try await task.value
    state = now
    return now.snapshot
  }

  private nonisolated func present(since before: State?) async throws -> State {
    let catalogVersion = try await store.catalogVersion()
    var templates = before?.templates ?? [:]
    if catalogVersion != before?.catalogVersion { templates = self.templates(try await catalog.templates(), templates) }
    let offered = Set(templates.lazy.filter { $0.value.entity != nil }.map(\.key))

    var instances = before?.instances ?? [:]
    let position: Int64
    if let before {
      let changed = try await store.instancesChanged(after: before.position)
      let wasOffered = Set(before.templates.lazy.filter { $0.value.entity != nil }.map(\.key))
      let moved = offered.symmetricDifference(wasOffered)
      let affected =
        moved.isEmpty
        ? []
        : instances.filter { $0.value.uses.map(moved.contains) ?? false }.keys
          .map(\.self)
      for id in changed.ids.union(affected) {
        let entity = try await store.situation(of: id).flatMap { model.instance($0, offered: offered) }
        instances[id] = entity.map(RenderedEntity.init)
      }
      position = changed.position
    } else {
      // What changes while this reads is read again the next time.
      position = try await store.lastPosition()
      var last: Instance.ID?
      while true {
        let page = try await store.instances(after: last, limit: Self.page)
        for situation in page {
          instances[situation.instance.id] = model.instance(situation, offered: offered).map(RenderedEntity.init)
        }
        guard page.count == Self.page else { break }
        last = page.last?.instance.id
      }
    }
    let environments = Set(instances.values.compactMap(\.environment))
    let systems = [model.system(nil)] + environments.map { model.system($0) }
    let entities = systems.map(RenderedEntity.init) + templates.values.compactMap(\.entity) + instances.values
    return State(
      position: position, catalogVersion: catalogVersion, templates: templates, instances: instances,
      snapshot: BackstageSnapshot(entities.sorted { $0.key < $1.key }))
  }

  private nonisolated func templates(
    _ templates: [Template], _ before: [Template.ID: (source: Template, entity: RenderedEntity?)]
  ) -> [Template.ID: (source: Template, entity: RenderedEntity?)] {
    var present: [Template.ID: (source: Template, entity: RenderedEntity?)] = [:]
    for template in templates {
      if let known = before[template.id], known.source == template {
        present[template.id] = known
      } else {
        present[template.id] = (template, model.template(template).map(RenderedEntity.init))
      }
    }
    return present
  }
}

/// An entity as it goes over the wire.
struct RenderedEntity: Sendable {
  /// Its place in the order of all entities.
  struct Key: Hashable, Comparable {
    var kind: BackstageEntity.Kind
    var name: String

    static func < (one: Key, other: Key) -> Bool {
      one.kind != other.kind ? one.kind.order < other.kind.order : one.name < other.name
    }
  }

  let key: Key
  let isTemplate: Bool
  let environment: String?
  /// The template that it may depend on.
  let uses: Template.ID?
  /// One line of JSON, which is YAML too.
  let bytes: ByteBuffer
  let digest: SHA256Digest

  init(_ entity: BackstageEntity) {
    key = Key(kind: entity.kind, name: entity.name)
    isTemplate = entity.isTemplate
    environment = entity.environment
    uses = entity.uses
    let text = Array(entity.document.json().utf8)
    bytes = ByteBuffer(bytes: text)
    digest = SHA256.hash(data: text)
  }

  /// Which of `pages` it is on, from 1: always the same, whatever else there is.
  func page(of pages: Int) -> Int {
    // FNV-1a, 64 bits.
    let hash = "\(key.kind.rawValue):\(key.name)".utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3
    }
    return Int(hash % UInt64(pages)) + 1
  }
}

extension BackstageEntity.Kind {
  fileprivate var order: Int {
    switch self {
    case .system: 0
    case .component: 1
    case .resource: 2
    case .location: 3
    }
  }
}

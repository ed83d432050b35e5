import FoundationEssentials
import Synchronization

/// What a client and its copies have learned.
final class RegistryMemory: Sendable {
  /// A list of versions, and the tag by which the registry knows it.
  struct List {
    var entityTag: String
    var versions: ModuleVersions
  }

  private struct State {
    var service: (address: WebAddress, until: Date)?
    var lists: [ModuleAddress: List] = [:]
  }
  private let state = Mutex(State())
  /// More modules than any catalog has, and few enough to fit in memory.
  private let capacity = 4096

  func service(at now: Date) -> WebAddress? {
    state.withLock { state in state.service.flatMap { now < $0.until ? $0.address : nil } }
  }

  func keep(service: WebAddress, until: Date) {
    state.withLock { $0.service = (service, until) }
  }

  func list(of module: ModuleAddress) -> List? { state.withLock { $0.lists[module] } }

  func keep(_ list: List?, of module: ModuleAddress) {
    state.withLock { state in
      // A cache may forget anything; starting over is the simplest way that is bounded.
      if state.lists.count >= capacity, state.lists[module] == nil { state.lists = [:] }
      state.lists[module] = list
    }
  }
}

import Logging
import PorcStore
import ServiceLifecycle

/// Thinks what the portal should show over, once, beside everything else: this PORC may show more than the one before, and
/// the settings may have changed.
struct PortalRedraw: Service {
  let store: any Store
  let logger: Logger

  func run() async {
    do {
      try await store.redrawPortal()
    } catch {
      // What changes from now on is shown as it should be, and the rest at the next start.
      logger.error("what the portal should show cannot be thought over", metadata: ["error": "\(error)"])
    }
  }
}

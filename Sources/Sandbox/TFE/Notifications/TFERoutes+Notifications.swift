import Hummingbird

extension TFERoutes {
  func addNotifications(to api: API) {
    let (state, sender) = (state, sender)
    for type in ["workspaces", "projects"] {
      let path = RouterPath("/\(type)/:id/notification-configurations")
      api.on(.get, path) { call in
        .ok(try await state.notificationList(of: call.id, type: type, query: call.query, url: call.url))
      }
      api.on(.post, path) { call in
        let configuration = try await state.newNotification(of: call.id, type: type, call.json())
        return .created(try await state.addNotification(verified(configuration)))
      }
    }
    api.on(.get, "/notification-configurations/:id") { call in .ok(try await state.notificationDocument(call.id)) }
    api.on(.patch, "/notification-configurations/:id") { call in
      let configuration = try await state.changedNotification(call.id, call.json())
      return .ok(try await state.replaceNotification(verified(configuration)))
    }
    api.on(.delete, "/notification-configurations/:id") { call in
      try await state.deleteNotification(call.id)
      return .noContent
    }
    api.on(.post, "/notification-configurations/:id/actions/verify") { call in
      let delivery = await sender.verify(try await state.notification(call.id))
      await state.recordDelivery(delivery, of: call.id)
      try await state.settle()
      try Self.check(delivery)
      return .ok(try await state.notificationDocument(call.id))
    }
  }

  /// The configuration with what its receiver said; one that is not enabled needs none.
  private func verified(_ configuration: NotificationConfiguration) async throws -> NotificationConfiguration {
    guard configuration.isEnabled else { return configuration }
    let delivery = await sender.verify(configuration)
    try Self.check(delivery)
    var configuration = configuration
    configuration.delivery = delivery
    return configuration
  }

  private static func check(_ delivery: NotificationConfiguration.Delivery) throws {
    guard delivery.isSuccessful else {
      let reason = delivery.code.map { "It answered \($0), where 200 to 299 is expected." } ?? delivery.body
      throw APIError.badRequest(
        "verification failed", "The destination did not take the verification request. \(reason)")
    }
  }
}

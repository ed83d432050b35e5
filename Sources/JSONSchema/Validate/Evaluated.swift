/// Which parts of a value have been looked at, for `unevaluatedItems` and `unevaluatedProperties`.
struct Evaluated {
  /// Whether anybody will ask. If not, nothing is kept.
  let isWanted: Bool
  private var properties: Set<String> = []
  private var hasAllProperties = false
  private var items: Set<Int> = []
  private var leadingItems = 0

  init(isWanted: Bool) {
    self.isWanted = isWanted
  }

  func has(_ property: String) -> Bool { hasAllProperties || properties.contains(property) }

  func has(_ index: Int) -> Bool { index < leadingItems || items.contains(index) }

  mutating func add(_ property: String) {
    if isWanted { properties.insert(property) }
  }

  mutating func add(_ index: Int) {
    if isWanted { items.insert(index) }
  }

  mutating func addAllProperties() { hasAllProperties = true }

  /// `Int.max` for all.
  mutating func addLeadingItems(_ count: Int) { leadingItems = max(leadingItems, count) }

  mutating func merge(_ other: Evaluated) {
    guard isWanted else { return }
    properties.formUnion(other.properties)
    hasAllProperties = hasAllProperties || other.hasAllProperties
    items.formUnion(other.items)
    leadingItems = max(leadingItems, other.leadingItems)
  }
}

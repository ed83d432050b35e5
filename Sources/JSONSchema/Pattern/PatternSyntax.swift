/// A pattern as it is written, without what only matters to captures.
indirect enum PatternSyntax {
  case one(ScalarSet)
  case sequence([PatternSyntax])
  case choice([PatternSyntax])
  case repeated(PatternSyntax, atLeast: Int, atMost: Int?)
  case edge(PatternEdge)
  /// The number of a ``PatternLook``.
  case look(Int, isNegated: Bool)

  /// How many instructions the pattern becomes, with `limit` for "too many": counting must not take long either.
  func size(limit: Int) -> Int {
    switch self {
    case .one, .edge, .look: return 1
    case .sequence(let parts): return parts.reduce(0) { min($0 + $1.size(limit: limit), limit) }
    case .choice(let parts): return parts.reduce(0) { min($0 + $1.size(limit: limit) + 2, limit) }
    case .repeated(let body, let atLeast, let atMost):
      let copies = atMost ?? (atLeast + 1)
      let (size, overflows) = (body.size(limit: limit) + 2).multipliedReportingOverflow(by: max(copies, 1))
      return overflows ? limit : min(size, limit)
    }
  }
}

/// A condition on the place between two characters.
enum PatternEdge: Sendable { case start, end, wordEdge, noWordEdge }

/// What stands in `(?=…)` or `(?<=…)`.
struct PatternLook {
  let body: PatternSyntax
  let isAhead: Bool
}

/// Columns for people.
struct Table: Sendable {
  var header: [String]
  var rows: [[Prose]]

  /// The lines: every column as wide as its widest cell, two spaces between them.
  var lines: [Prose] {
    let all = [header.map { Prose($0, .dim) }] + rows
    let widths = header.indices.map { column in all.map { $0[column].width }.max() ?? 0 }
    return all.map { Self.aligned($0, widths) }
  }

  /// Names and what belongs to them; a name without anything is left out.
  static func fields(_ fields: [(name: String, value: Prose?)]) -> [Prose] {
    let known = fields.compactMap { field in field.value.map { (field.name, $0) } }
    let width = known.map(\.0.count).max() ?? 0
    return known.map { aligned([Prose($0.0, .dim), $0.1], [width, 0]) }
  }

  /// Nothing stands behind the last cell that has text.
  private static func aligned(_ cells: [Prose], _ widths: [Int]) -> Prose {
    var line: Prose = ""
    var space = 0
    for (cell, width) in zip(cells, widths) where cell.width > 0 || width > 0 {
      if cell.width > 0 {
        line = "\(line)\(String(repeating: " ", count: space))\(cell)"
        space = 0
      }
      space += max(width - cell.width, 0) + 2
    }
    return line
  }
}

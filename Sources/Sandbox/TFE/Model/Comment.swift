/// What somebody said about a run.
struct Comment: Stored {
  static let kind = "comment"

  let id: String
  let sequence: Int
  let runID: String
  let createdAt: String
  let body: String
}

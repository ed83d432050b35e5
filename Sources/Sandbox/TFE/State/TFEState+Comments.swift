/// What people said about runs, and what happened to runs.
extension TFEState {
  func comments(on runID: String) -> [Comment] {
    (commentIDs[runID] ?? []).compactMap { comments[$0] }
  }

  func commentList(run id: String) throws -> JSONValue {
    _ = try run(id)
    return JSONAPI.document(.array(comments(on: id).map { resource($0) }))
  }

  func commentDocument(_ id: String) throws -> JSONValue {
    guard let comment = comments[id] else { throw APIError.notFound }
    return JSONAPI.document(resource(comment))
  }

  func createComment(run id: String, _ document: JSONValue) throws -> JSONValue {
    guard let body = document["data"]["attributes"]["body"].string, !body.isEmpty else {
      throw APIError.invalid("body", "Body can't be blank")
    }
    return JSONAPI.document(resource(try comment(on: id, body)))
  }

  /// What an action on a run was given to say about it, if anything.
  func comment(on id: String, ofAction document: JSONValue) throws {
    if let body = document["comment"].string, !body.isEmpty { _ = try comment(on: id, body) }
  }

  private func comment(on id: String, _ body: String) throws -> Comment {
    let comment = Comment(
      id: Identifier.make("wsc"), sequence: nextSequence(), runID: try run(id).id, createdAt: Timestamp.now(),
      body: body)
    comments.set(comment)
    commentIDs[id, default: []].append(comment.id)
    return comment
  }

  private func resource(_ comment: Comment) -> JSONValue {
    JSONAPI.resource(
      "comments", comment.id, attributes: ["body": .string(comment.body), "created-at": .string(comment.createdAt)],
      relationships: ["run": JSONAPI.one("runs", comment.runID), "created-by": JSONAPI.one("users", Self.userID)],
      links: ["self": .string("/api/v2/comments/\(comment.id)")])
  }

  /// What happened to a run, oldest first: that it was made, and each status it entered.
  func events(of run: Run) -> [(id: String, action: String, at: String)] {
    let entered = run.timestamps.map { name, at in (action: String(name.dropLast("-at".count)), at: at) }
      .sorted { ($0.at, $0.action) < ($1.at, $1.action) }
    return ([("queued", run.createdAt)] + entered.map { ($0.action.replacing("-", with: "_"), $0.at) })
      .map { action, at in ("re-\(run.id.dropFirst("run-".count))-\(action)", action, at) }
  }

  func eventList(run id: String) throws -> JSONValue {
    let run = try run(id)
    return JSONAPI.document(.array(events(of: run).map { resource($0, run) }))
  }

  func eventDocument(_ id: String) throws -> JSONValue {
    let parts = id.split(separator: "-", maxSplits: 2)
    guard parts.count == 3, let run = runs["run-\(parts[1])"], let event = events(of: run).first(where: { $0.id == id })
    else { throw APIError.notFound }
    return JSONAPI.document(resource(event, run))
  }

  private func resource(_ event: (id: String, action: String, at: String), _ run: Run) -> JSONValue {
    JSONAPI.resource(
      "run-events", event.id,
      attributes: ["action": .string(event.action), "description": nil, "created-at": .string(event.at)],
      relationships: [
        "run": JSONAPI.one("runs", run.id), "actor": JSONAPI.one("users", Self.userID), "comment": ["data": nil],
      ], links: ["self": .string("/api/v2/run-events/\(event.id)")])
  }
}

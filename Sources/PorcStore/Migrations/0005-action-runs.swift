extension Migration {
  /// Presses of buttons in the portal, and how far the portal was told what became of each.
  static let actionRuns = Migration(
    number: 5,
    sql: """
      -- id: the portal's, of its action run. run_id, instance_id: what was pressed for; absent where a refusal came before
      -- that was known. plan: the number of the plan it is about; absent where that plan was yet to be made. position: of
      -- the newest event before the press. opening: the first lines of the log, JSON. seen: the version of the instance
      -- that the portal was told up to. outcome: known with its reason once nothing but the end is left to be told.
      CREATE TABLE action_run (
        id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
        verb TEXT NOT NULL CHECK (verb <> ''),
        actor_id TEXT NOT NULL,
        actor_name TEXT NOT NULL,
        run_id TEXT REFERENCES run (id),
        instance_id TEXT,
        plan INTEGER CHECK (plan > 0),
        position INTEGER NOT NULL CHECK (position >= 0),
        opening TEXT NOT NULL,
        is_refused INTEGER NOT NULL CHECK (is_refused IN (0, 1)),
        created_at INTEGER NOT NULL,
        reported TEXT NOT NULL,
        seen INTEGER,
        outcome TEXT CHECK (outcome IN ('success', 'failure')),
        reason TEXT,
        ended_at INTEGER,
        attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
        next_attempt_at INTEGER NOT NULL,
        closed_at INTEGER,
        CHECK ((outcome IS NULL) = (reason IS NULL) AND (outcome IS NULL) = (ended_at IS NULL)),
        CHECK (closed_at IS NULL OR ended_at IS NOT NULL),
        CHECK (is_refused = 0 OR outcome = 'failure')
      ) STRICT;
      CREATE INDEX action_run_open ON action_run (created_at) WHERE closed_at IS NULL;
      CREATE INDEX action_run_instance ON action_run (instance_id, created_at) WHERE closed_at IS NULL;
      CREATE INDEX action_run_closed ON action_run (closed_at) WHERE closed_at IS NOT NULL;
      """)
}

extension Migration {
  /// What TFE was asked to tell by itself.
  static let notifications = Migration(
    number: 3,
    sql: """
      -- owner: the id of a workspace or of a project. configuration: TFE's id of the one that is there; absent where
      -- there is none. project: of a workspace about which its project's configuration tells. key_id: which key the
      -- secret was made from. problem: why it does not work.
      CREATE TABLE notification (
        owner TEXT NOT NULL PRIMARY KEY CHECK (owner <> ''),
        is_project INTEGER NOT NULL CHECK (is_project IN (0, 1)),
        configuration TEXT,
        project TEXT,
        url TEXT NOT NULL,
        key_id TEXT NOT NULL,
        written_at INTEGER NOT NULL,
        heard_at INTEGER,
        problem TEXT,
        CHECK (project IS NULL OR (is_project = 0 AND configuration IS NULL))
      ) STRICT;

      -- Deliveries about TFE runs that nobody follows yet: TFE may be faster than its answer to the call that made one.
      CREATE TABLE early_notice (
        tfe_run_id TEXT NOT NULL PRIMARY KEY CHECK (tfe_run_id <> ''),
        at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX early_notice_at ON early_notice (at);
      """)
}

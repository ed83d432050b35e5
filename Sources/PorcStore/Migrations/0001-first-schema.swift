extension Migration {
  /// Everything that the first release keeps. Times are milliseconds since 1970; documents are JSON.
  static let firstSchema = Migration(
    number: 1,
    sql: """
      -- One row for each life in the list: an instance that was removed keeps its row, for its runs; the same name
      -- begins anew with another.
      CREATE TABLE instance (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL CHECK (id <> ''),
        version INTEGER NOT NULL CHECK (version > 0),
        newest TEXT NOT NULL,
        holder TEXT,
        deployed_template TEXT,
        destroyed_at INTEGER,
        removed_at INTEGER,
        document TEXT NOT NULL,
        CHECK (removed_at IS NULL OR destroyed_at IS NOT NULL)
      ) STRICT;
      CREATE UNIQUE INDEX instance_id ON instance (id) WHERE removed_at IS NULL;

      CREATE TABLE run (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE CHECK (id <> ''),
        instance_number INTEGER NOT NULL REFERENCES instance (number),
        instance_id TEXT NOT NULL,
        template TEXT NOT NULL,
        operation TEXT NOT NULL CHECK (operation IN ('apply', 'destroy')),
        state TEXT NOT NULL CHECK (state <> ''),
        submitted_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        version INTEGER NOT NULL CHECK (version > 0),
        document TEXT NOT NULL
      ) STRICT;
      CREATE INDEX run_instance ON run (instance_id, seq);
      CREATE INDEX run_state ON run (state, seq);
      CREATE INDEX run_operation ON run (operation, seq);

      -- The TFE run of a run's plan.
      CREATE TABLE tfe_run (
        id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
        run_id TEXT NOT NULL REFERENCES run (id),
        plan INTEGER NOT NULL CHECK (plan > 0),
        UNIQUE (run_id, plan)
      ) STRICT;

      -- AUTOINCREMENT: a position is never used twice, and with one writer the positions are in the order of commits.
      CREATE TABLE event (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id TEXT NOT NULL REFERENCES run (id),
        name TEXT NOT NULL CHECK (name <> ''),
        at INTEGER NOT NULL,
        document TEXT NOT NULL
      ) STRICT;
      CREATE INDEX event_run ON event (run_id, position);

      CREATE TABLE sealed_input (
        run_id TEXT NOT NULL PRIMARY KEY REFERENCES run (id),
        bytes BLOB NOT NULL
      ) STRICT;

      CREATE TABLE blob (
        digest TEXT NOT NULL PRIMARY KEY CHECK (digest <> ''),
        bytes BLOB NOT NULL
      ) STRICT;

      -- Unfinished jobs. again_at: it was asked for anew while it was being done, and is due again then.
      CREATE TABLE job (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL CHECK (kind <> ''),
        priority INTEGER NOT NULL,
        run_id TEXT NOT NULL REFERENCES run (id),
        instance_id TEXT NOT NULL,
        plan INTEGER NOT NULL CHECK (plan >= 0),
        created_at INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        claims INTEGER NOT NULL DEFAULT 0 CHECK (claims >= 0),
        failures INTEGER NOT NULL DEFAULT 0 CHECK (failures BETWEEN 0 AND claims),
        token INTEGER NOT NULL DEFAULT 0,
        leased_by TEXT,
        leased_until INTEGER,
        again_at INTEGER,
        UNIQUE (run_id, kind, plan),
        CHECK ((leased_by IS NULL) = (leased_until IS NULL)),
        CHECK (again_at IS NULL OR leased_by IS NOT NULL)
      ) STRICT;
      CREATE INDEX job_due ON job (due_at, id);
      CREATE INDEX job_instance ON job (instance_id, priority, due_at, id);
      CREATE INDEX job_lease ON job (instance_id, leased_until) WHERE leased_until IS NOT NULL;

      -- Outlives its job, and says for itself what failed.
      CREATE TABLE job_failure (
        job_id INTEGER NOT NULL,
        attempt INTEGER NOT NULL CHECK (attempt > 0),
        run_id TEXT NOT NULL REFERENCES run (id),
        kind TEXT NOT NULL,
        plan INTEGER NOT NULL,
        at INTEGER NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (job_id, attempt)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX job_failure_run ON job_failure (run_id, at);

      -- behind_since is there as long as the portal has not acknowledged the desired state. desired is absent when the
      -- entity should go; its row goes when the portal has acknowledged that.
      CREATE TABLE portal_entity (
        kind TEXT NOT NULL CHECK (kind <> ''),
        identifier TEXT NOT NULL CHECK (identifier <> ''),
        desired TEXT,
        version INTEGER NOT NULL CHECK (version > 0),
        desired_at INTEGER NOT NULL,
        acknowledged TEXT,
        acknowledged_version INTEGER CHECK (acknowledged_version <= version),
        behind_since INTEGER,
        next_attempt_at INTEGER,
        attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
        rejection TEXT,
        PRIMARY KEY (kind, identifier),
        CHECK ((behind_since IS NULL) = (next_attempt_at IS NULL)),
        CHECK ((acknowledged IS NULL) = (acknowledged_version IS NULL)),
        CHECK (behind_since IS NOT NULL OR (desired IS NOT NULL AND acknowledged IS NOT NULL)),
        CHECK (behind_since IS NOT NULL OR (attempts = 0 AND rejection IS NULL))
      ) STRICT;
      CREATE INDEX portal_entity_behind ON portal_entity (kind DESC, behind_since, next_attempt_at)
        WHERE behind_since IS NOT NULL;
      CREATE INDEX portal_entity_next ON portal_entity (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

      -- is_gone: its source has it no more, and it stays only for the instances made from it.
      CREATE TABLE template (
        id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
        source TEXT NOT NULL,
        is_gone INTEGER NOT NULL DEFAULT 0 CHECK (is_gone IN (0, 1)),
        archive TEXT NOT NULL REFERENCES blob (digest),
        document TEXT NOT NULL
      ) STRICT;
      CREATE INDEX template_source ON template (source);

      CREATE TABLE catalog (
        one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
        version INTEGER NOT NULL
      ) STRICT;
      INSERT INTO catalog (one, version) VALUES (1, 0);

      CREATE TABLE token (
        id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
        name TEXT NOT NULL CHECK (name <> ''),
        scopes TEXT NOT NULL,
        hash BLOB NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        revoked_at INTEGER
      ) STRICT;
      CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked_at IS NULL;

      CREATE TABLE answer (
        caller TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        status INTEGER NOT NULL CHECK (status BETWEEN 100 AND 599),
        body BLOB NOT NULL,
        location TEXT,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (caller, key)
      ) STRICT;
      CREATE INDEX answer_created ON answer (created_at);
      """)
}

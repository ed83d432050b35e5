extension Migration {
  /// Where templates come from, and what was made of it.
  static let templateSources = Migration(
    number: 2,
    sql: """
      -- document: absent where the source is in the configuration alone. fingerprint: of what was last read in full.
      CREATE TABLE source (
        name TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
        document TEXT,
        secret BLOB,
        created_at INTEGER NOT NULL,
        fingerprint TEXT,
        report TEXT,
        CHECK (secret IS NULL OR document IS NOT NULL)
      ) STRICT;

      CREATE TABLE webhook_delivery (
        sender TEXT NOT NULL,
        id TEXT NOT NULL CHECK (id <> ''),
        received_at INTEGER NOT NULL,
        PRIMARY KEY (sender, id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX webhook_delivery_received ON webhook_delivery (received_at);

      -- changed: the catalog's version that it came with.
      ALTER TABLE template ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
      CREATE INDEX template_changed ON template (changed);
      CREATE INDEX template_gone ON template (id) WHERE is_gone = 1;
      """)
}

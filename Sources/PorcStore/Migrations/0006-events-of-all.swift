extension Migration {
  /// Instances and templates have events too, in one order with those of the runs.
  static let eventsOfAll = Migration(
    number: 6,
    sql: """
      -- An event of an instance names the run that it came by. Positions stay what they were, and none is used again:
      -- the sequence goes by the largest position and moves with the table's name
      -- (https://www.sqlite.org/autoinc.html).
      CREATE TABLE event_of_all (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        subject TEXT NOT NULL CHECK (subject IN ('run', 'instance', 'template')),
        run_id TEXT REFERENCES run (id),
        instance_id TEXT,
        template_id TEXT,
        name TEXT NOT NULL CHECK (name <> ''),
        at INTEGER NOT NULL,
        document TEXT NOT NULL,
        CHECK ((subject = 'template') = (instance_id IS NULL)),
        CHECK ((subject = 'template') = (run_id IS NULL)),
        CHECK (subject = 'run' OR template_id IS NOT NULL)
      ) STRICT;
      INSERT INTO event_of_all (position, subject, run_id, instance_id, name, at, document)
        SELECT position, 'run', run_id, instance_id, name, at, event.document
        FROM event JOIN run ON run.id = event.run_id ORDER BY position;
      DROP TABLE event;
      ALTER TABLE event_of_all RENAME TO event;
      CREATE INDEX event_run ON event (run_id, position) WHERE subject = 'run';
      -- Of few: an index costs nothing where nothing is written to it.
      CREATE INDEX event_subject ON event (subject, position) WHERE subject <> 'run';
      CREATE INDEX event_instance ON event (instance_id, position) WHERE subject = 'instance';
      """)
}

extension Migration {
  /// Entities that should go from the portal, and whether somebody has said so.
  static let heldRemovals = Migration(
    number: 4,
    sql: """
      -- removal_confirmed: it may go even where many go at once.
      ALTER TABLE portal_entity
        ADD COLUMN removal_confirmed INTEGER NOT NULL DEFAULT 0 CHECK (removal_confirmed IN (0, 1));
      CREATE INDEX portal_entity_removal ON portal_entity (kind, next_attempt_at) WHERE desired IS NULL;
      """)
}

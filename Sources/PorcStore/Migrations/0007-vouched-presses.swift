extension Migration {
  /// Who vouches for a press: a token alone may name an action run that is not its owner's to press.
  static let vouchedPresses = Migration(
    number: 7,
    sql: """
      -- is_vouched: Port's signature, or a token that may speak for Port's users, says that the press is one.
      ALTER TABLE action_run ADD COLUMN is_vouched INTEGER NOT NULL DEFAULT 1 CHECK (is_vouched IN (0, 1));
      """)
}

/// Everything PORC keeps. Several servers may share one database, so these promises hold for every implementation, and
/// one conformance suite tests them:
///
/// - A decision holds its instance and the runs involved until it is recorded: two decisions about one instance never
///   see the same situation. All that follows from a decision (events, states, jobs, what the portal should show) is
///   recorded in one transaction, and durable when the call returns.
/// - A job is claimed by one worker alone, and the jobs of one instance one at a time. Lease times come from the
///   database's clock.
/// - Event positions are in the order of commits: a reader who resumes after a position misses nothing.
public protocol Store: RunStore, JobQueue, PortalState, ActionRunStore, CatalogStore, SourceStore, NotificationStore,
  TokenStore, IdempotencyKeys
{
  /// Commits something that changes nothing.
  ///
  /// - Throws: ``StoreError/unusable(_:fix:)`` where nothing can be written: the disk is full, or another process keeps
  ///   the database locked.
  func checkWritable() async throws

  /// Releases the database; nothing may be called after it.
  func close() async throws
}

import Foundation
import Logging

/// Logs go to standard error, a line each: standard output is for answers.
enum Log {
  static func make(_ level: Logger.Level) -> Logger {
    var logger = Logger(label: "porc") { WithoutChatter(base: StreamLogHandler.standardError(label: $0)) }
    logger.logLevel = level
    return logger
  }

  /// For the libraries' own chatter.
  static let quiet = Logger(label: "porc.services") { _ in SwiftLogNoOpLogHandler() }
}

/// Leaves out what the web server calls errors when it is told to end before it has begun: whoever told it says why.
private struct WithoutChatter: LogHandler {
  var base: StreamLogHandler

  func log(event: LogEvent) {
    if event.source == "HummingbirdCore", event.level == .error { return }
    base.log(event: event)
  }

  var metadataProvider: Logger.MetadataProvider? {
    get { base.metadataProvider }
    set { base.metadataProvider = newValue }
  }
  var logLevel: Logger.Level {
    get { base.logLevel }
    set { base.logLevel = newValue }
  }
  var metadata: Logger.Metadata {
    get { base.metadata }
    set { base.metadata = newValue }
  }
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { base[metadataKey: key] }
    set { base[metadataKey: key] = newValue }
  }
}

/// Standard output: answers, whole lines.
enum Output {
  static func line(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
}

import Foundation
import Logging

/// Logs go to standard error, a line each: standard output is for answers.
enum Log {
  static func make(_ level: Logger.Level) -> Logger {
    var logger = Logger(label: "porc") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = level
    return logger
  }

  /// For the libraries' own chatter.
  static let quiet = Logger(label: "porc.services") { _ in SwiftLogNoOpLogHandler() }
}

/// Standard output: answers, whole lines.
enum Output {
  static func line(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
}

import Synchronization

/// Writes to the two streams, one writer at a time, and keeps a moving line at the bottom of standard error.
final class Screen: Sendable {
  let streams: OutputStreams
  /// Whether there is a moving line at all.
  let moves: Bool
  private let state = Mutex(State())

  private struct State {
    var text: String?
    var since = ContinuousClock.now
    var frame = 0
    var isDrawn = false
  }

  init(streams: OutputStreams, moves: Bool) {
    self.streams = streams
    self.moves = moves
  }

  func write(_ stream: OutputStreams.Stream, _ bytes: [UInt8]) {
    state.withLock { state in
      erase(&state)
      streams.write(stream, bytes)
    }
  }

  /// What the moving line says from now on; nothing takes it away.
  func progress(_ text: String?) {
    guard moves else { return }
    state.withLock { state in
      erase(&state)
      if state.text != text { state.since = .now }
      state.text = text
    }
  }

  /// Draws the line's next frame.
  func tick() {
    state.withLock { state in
      guard let text = state.text else { return }
      let frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
      state.frame = (state.frame + 1) % frames.count
      let seconds = state.since.duration(to: .now).components.seconds
      streams.write(.error, Array("\r\u{1B}[2K\(frames[state.frame]) \(text) \(seconds) s".utf8))
      state.isDrawn = true
    }
  }

  private func erase(_ state: inout State) {
    guard state.isDrawn else { return }
    streams.write(.error, Array("\r\u{1B}[2K".utf8))
    state.isDrawn = false
  }
}

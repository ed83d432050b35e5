import FoundationEssentials
import NIOHTTP1
import PorcCore

/// What PORC answered: the bytes, for `--json`, and what they mean.
struct Answer: Sendable {
  var status: Int
  var headers: HTTPHeaders
  var bytes: [UInt8]

  func decode<Body: Decodable>(_ type: Body.Type = Body.self) throws -> Body {
    do {
      return try JSONDecoder.porc.decode(type, from: Data(bytes))
    } catch {
      throw Fault(
        .bug, "PORC's answer is not what this pine (\(PineCLI.version)) understands.",
        fix: "See with 'pine doctor' whether that address is PORC, and of which version.", cause: error)
    }
  }

  /// The error that a status of 300 or more means; a 304 is none.
  func fault(of call: Call, at url: String) -> Fault? {
    guard status >= 300, status != 304 else { return nil }
    var fault: Fault
    if let problem = try? JSONDecoder.porc.decode(ProblemDocument.self, from: Data(bytes)) {
      fault = problem.fault
      if fault.code == .bug, let id = problem.requestID {
        fault.fix = "Tell the people who run PORC; the request was \(id)."
      }
    } else if let target = headers.first(name: "Location"), status < 400 {
      fault = Fault(.bug, "\(url) redirects to \(target).", fix: "Give PORC's own address.")
    } else {
      fault = Fault(
        code, "\(url) answered \(status) to \(call.method.rawValue) \(call.path).",
        fix: "See with 'pine doctor' whether that address is PORC.")
    }
    fault.retryAfter = headers.first(name: "Retry-After").flatMap { Int($0) }
    return fault
  }

  /// What a status says by itself, from something that may stand before PORC.
  private var code: Fault.Code {
    switch status {
    case 502, 504: .upstreamFailed
    default: Fault.Code.allCases.first { $0.status == status } ?? .bug
    }
  }
}

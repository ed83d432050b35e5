import Foundation
import HCL
import Yams

/// The documents of a YAML text, as a reader that has nothing to do with PORC sees them.
enum YAMLDocuments {
  static func read(_ text: String) throws -> [Value] {
    try Yams.load_all(yaml: text).map { document in
      let json = try JSONSerialization.data(withJSONObject: document, options: [.fragmentsAllowed])
      return try JSONText.parse(json).value
    }
  }
}

/// The API as data: OpenAPI 3.1, served at `/openapi.json`. A test holds it against the routes and the bodies.
enum OpenAPIDocument {
  /// The text of `openapi.json`, which is part of the program.
  static let bytes: [UInt8] = PackageResources.openapi_json
}

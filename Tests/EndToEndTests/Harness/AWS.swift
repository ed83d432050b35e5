import Foundation
import Processes
import TestKit
import Testing

/// AWS as far as the stories need it: moto, on a port of its own, for the AWS provider of a mirror on this machine.
/// `scripts/with-aws` looks for both.
struct AWS: Sendable {
  static let mirror = ProcessInfo.processInfo.environment["PORC_TEST_PROVIDER_MIRROR"]
  private static let python = ProcessInfo.processInfo.environment["PORC_TEST_PYTHON"] ?? "python3"

  let endpoint: String
  /// What terraform must see of the environment: where AWS is, and where its provider.
  let workerEnvironment: [String: String]

  /// Runs `story` while AWS answers.
  static func run(in folder: TemporaryFolder, _ story: (AWS) async throws -> Void) async throws {
    let port = try Installation.freePort()
    let aws = AWS(
      endpoint: "http://127.0.0.1:\(port)",
      workerEnvironment: [
        "AWS_ENDPOINT_URL": "http://127.0.0.1:\(port)", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "TF_CLI_CONFIG_FILE": try folder.write(
          """
          provider_installation {
            filesystem_mirror { path = "\(try #require(mirror))" }
          }
          """, to: "mirror.tfrc"
        ).path,
      ])
    let stop = StopSignal()
    let server = Task {
      try await Command(
        python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"], environment: Executable.environment()
      ).capture(stop: stop)
    }
    do {
      try await eventually("moto answers") {
        (try? await API(base: aws.endpoint).get("/moto-api/"))?.status == 200 ? true : nil
      }
      try await story(aws)
    } catch {
      stop.kill()
      _ = await server.result
      throw error
    }
    stop.kill()
    _ = await server.result
  }

  /// The buckets that there are, by another client's word.
  func buckets() async throws -> [String] {
    let program = """
      import boto3, json, sys
      s3 = boto3.client("s3", region_name="eu-central-1", endpoint_url=sys.argv[1])
      print(json.dumps([bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]))
      """
    let said = try await Command(
      Self.python, ["-c", program, endpoint], environment: Executable.environment(workerEnvironment)
    ).capture()
    try #require(said.status.isSuccess, "\(said.errorText)")
    return try JSON(Data(said.standardOutput)).array.compactMap(\.string)
  }
}

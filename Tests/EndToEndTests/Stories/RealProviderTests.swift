import Foundation
import TestKit
import Testing

/// The S3 example with the real AWS provider: what `pine` applies is there for others, and what it destroys is gone.
@Suite(.enabled(if: AWS.mirror != nil, "no mirror here holds the AWS provider"), .timeLimit(.minutes(5)))
struct RealProviderTests {
  @Test func aBucketIsMadeAndRemoved() async throws {
    let folder = try TemporaryFolder()
    try await AWS.run(in: folder) { aws in
      let options = aws.workerEnvironment.keys.sorted().flatMap { ["--worker-env", $0] }
      try await DevServer.run(options, environment: aws.workerEnvironment, in: folder) { dev in
        let blueprint = Executable.package.appending(path: "examples/blueprints/s3-bucket.yaml").path
        let up = try await dev.pine("up", blueprint, "--yes").exiting(0)
        #expect(up.error.contains("2 to add") && up.error.contains("applied"), "\(up)")
        #expect(try await aws.buckets() == ["team-assets-dev"])
        try await dev.shows(
          "team-assets",
          [
            "terraform_status": "applied", "region": "eu-central-1",
            "outputs": ["arn": "arn:aws:s3:::team-assets-dev", "bucket": "team-assets-dev"],
          ])
        // Nothing to do is seen, and done without a word to AWS.
        let again = try await dev.pine("up", blueprint, "--yes").exiting(0)
        #expect(again.error.contains("no changes"), "\(again)")

        try await dev.pine("destroy", "team-assets", "--yes").exiting(0)
        #expect(try await aws.buckets().isEmpty)
        try await dev.shows("team-assets", ["terraform_status": "destroyed"])
      }
    }
  }
}

// swift-tools-version: 6.2
import PackageDescription

/// What every target is compiled with. Warnings are errors where PORC_WARNINGS_AS_ERRORS is set, as the Makefile does: a
/// newer compiler's new warning never breaks somebody who only builds.
let strict: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ] + (Context.environment["PORC_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)])

func library(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestKit"], resources: resources, swiftSettings: strict)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
  name: "porc",
  products: [
    .executable(name: "porc", targets: ["porc"]),
    .executable(name: "pine", targets: ["pine"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: [.defaults, "YAML"]),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // Pure: values and decisions.
    library("HCL"),
    library("JSONSchema", ["HCL"], resources: [.embedInCode("Metaschemas/metaschemas.json")]),
    library("PorcCore", ["HCL", "JSONSchema", crypto, yams]),

    // Small and shared.
    .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    library("Archive", ["CArchive"]),
    library("Processes", [subprocess]),
    library("Git", ["Processes"]),
    library("Retry"),

    // The database, and the clients of the systems that PORC talks to.
    library("PorcStore", ["HCL", "PorcCore", grdb, crypto]),
    library("HTTPExchange", ["Retry", asyncHTTPClient, nioCore, nioPosix, nioSSL]),
    library("TerraformEnterprise", ["HTTPExchange", "Retry", asyncHTTPClient, logging, nioCore, nioHTTP1]),
    library("ModuleRegistry", ["HTTPExchange", "Retry", asyncHTTPClient, crypto, logging, nioCore, nioHTTP1, nioSSL]),
    library("PortPortal", ["HTTPExchange", "Retry", asyncHTTPClient, logging, nioCore, nioHTTP1]),

    // The embedded TFE and Port: they know nothing of the rest.
    library(
      "Sandbox",
      [
        "Archive", "Processes", asyncHTTPClient, crypto, httpTypes, hummingbird, logging, nioCore, nioHTTP1,
        serviceLifecycle,
      ],
      resources: ["page.html", "style.css", "script.js"].map { .embedInCode("Port/Page/\($0)") }),

    // The server, the command line, and their two doors.
    library(
      "PorcServer",
      [
        "Archive", "Git", "HCL", "HTTPExchange", "ModuleRegistry", "PorcCore", "PorcStore", "PortPortal", "Retry",
        "TerraformEnterprise", asyncHTTPClient,
        configuration, crypto, cryptoExtras, hummingbird, logging, nioCore, nioHTTP1, serviceLifecycle,
      ], resources: [.embedInCode("Health/openapi.json")]),
    library("PineCLI", ["HCL", "PorcCore", argumentParser, asyncHTTPClient, nioCore, nioHTTP1]),
    .executableTarget(
      name: "porc",
      dependencies: [
        "HCL", "PineCLI", "PorcCore", "PorcServer", "PorcStore", "PortPortal", "Sandbox", argumentParser, configuration,
        logging,
        nioCore, serviceLifecycle, unixSignals,
      ],
      swiftSettings: strict),
    .executableTarget(name: "pine", dependencies: ["PineCLI"], swiftSettings: strict),

    // Tests.
    .target(
      name: "TestKit",
      dependencies: ["HCL", "JSONSchema", "Processes", httpTypes, hummingbird, logging, nioCore, serviceLifecycle],
      path: "Tests/TestKit",
      swiftSettings: strict),
    tests("HCLTests", ["HCL"]),
    tests("JSONSchemaTests", ["HCL", "JSONSchema"], resources: [.copy("Suite")]),
    tests("PorcCoreTests", ["JSONSchema", "PorcCore"]),
    tests("ArchiveTests", ["Archive"]),
    tests("ProcessesTests", ["Processes"]),
    tests("GitTests", ["Git", httpTypes]),
    tests("RetryTests", ["Retry"]),
    tests("PorcStoreTests", ["HCL", "PorcCore", "PorcStore", grdb]),
    tests(
      "TerraformEnterpriseTests", ["HTTPExchange", "Retry", "TerraformEnterprise", asyncHTTPClient, httpTypes, logging]),
    tests(
      "ModuleRegistryTests", ["HTTPExchange", "ModuleRegistry", "Retry", asyncHTTPClient, crypto, httpTypes, logging]),
    tests("PortPortalTests", ["PortPortal", "Retry", asyncHTTPClient, httpTypes, logging]),
    tests(
      "SandboxTests",
      [
        "Sandbox", "Archive", "HTTPExchange", "ModuleRegistry", "Processes", "TerraformEnterprise", asyncHTTPClient,
        crypto, httpTypes, logging,
      ]),
    tests(
      "PorcServerTests",
      [
        "Archive", "HCL", "HTTPExchange", "JSONSchema", "PorcCore", "PorcServer", "PorcStore", "PortPortal", "Retry",
        "Sandbox", "TerraformEnterprise", asyncHTTPClient, configuration, crypto, cryptoExtras, httpTypes, logging,
        nioCore,
        serviceLifecycle, yams,
      ]),
    tests("PineCLITests", ["PineCLI"]),
    tests("EndToEndTests", ["Processes", "porc", "pine", asyncHTTPClient, crypto, httpTypes, nioCore, nioHTTP1]),
  ]
)

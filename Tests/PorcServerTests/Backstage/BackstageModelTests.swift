import Foundation
import HCL
import PorcCore
import TestKit
import Testing

@testable import PorcServer

/// What Backstage is shown is what Backstage takes, whatever people call their things.
@Suite struct BackstageModelTests {
  private func model(_ change: (inout BackstageSettings) -> Void = { _ in }) -> BackstageModel {
    var settings = BackstageSettings()
    change(&settings)
    return BackstageModel(
      settings: settings, installation: "porc",
      links: TFELinks(address: "https://tfe.example.com", organization: "acme"), project: "platform")
  }

  // MARK: Names

  @Test func plainNamesStayWhatTheyAre() {
    for name in ["a", "gke-dev-west", "gke-cluster-1-0-0", "0", "a--b", String(repeating: "x", count: 63)] {
      #expect(EntityName.safe(name) == name)
    }
    #expect(EntityName.safe("gke", prefix: "template_") == "template_gke")
  }

  @Test func otherNamesAreMadeSafeAndStayApart() {
    let names = [
      "Gke", "gke.", "gke-", "-gke", "gke_1", "g ke", "gke/1", "GKE", "", "…", "日本", "日本語",
      String(repeating: "x", count: 64),
      String(repeating: "x", count: 65), String(repeating: "-", count: 80), "\u{0}", "${{ secrets }}",
    ]
    let safe = names.map { EntityName.safe($0) }
    #expect(safe.allSatisfy { BackstageRules.isName($0) && $0.contains(".") }, "\(safe)")
    #expect(Set(safe.map { $0.lowercased() }).count == names.count, "\(safe)")
    #expect(names.map { EntityName.safe($0) } == safe, "the same every time")
    #expect(EntityName.safe("Gke Dev") == "gke-dev.\(EntityName.safe("Gke Dev").suffix(16))")
  }

  @Test(arguments: [
    ("cloud-platform", "group:default/cloud-platform"), ("Cloud Platform", "group:default/Cloud-Platform"),
    ("group:cloud", "group:default/cloud"), ("user:infra/anna", "user:infra/anna"), ("User:Anna", "user:default/Anna"),
    ("infra/cloud", "group:infra/cloud"), ("@acme/platform", "group:default/platform"), ("@anna", "user:default/anna"),
    ("anna.b@example.com", "user:default/anna.b"), ("anna b@example.com", "user:default/anna-b"),
    ("a:b", "group:default/a-b"), ("a/b/c", "group:default/a-b-c"), (" team ", "group:default/team"),
    (String(repeating: "y", count: 70), "group:default/\(String(repeating: "y", count: 63))"),
  ])
  func ownersAreReferences(owner: String, reference: String) {
    #expect(OwnerReference(owner)?.text == reference)
    #expect(BackstageRules.isReference(reference, of: ["group", "user"]))
  }

  @Test func whatNamesNobodyIsTheDefaultOwners() {
    for owner in ["", " ", "…", "@", "///", "::"] { #expect(OwnerReference(owner) == nil, "\(owner)") }
    let template = Template.named("web")
    func owner(_ model: BackstageModel) -> Value? { model.template(template)?.document["spec"]?["owner"] }
    #expect(owner(model()) == "group:default/porc")
    #expect(owner(model { $0.defaultOwner = "user:anna" }) == "user:default/anna")
  }

  @Test(
    arguments: [
      (
        "https://github.com/acme/modules/gke-cluster", "acme/modules",
        "https://github.com/acme/modules/tree/c0ffee/gke-cluster/"
      ),
      ("https://github.com/acme/modules", "acme/modules", "https://github.com/acme/modules/tree/c0ffee/"),
      ("https://github.com/acme/modules.git", "acme/modules", "https://github.com/acme/modules/tree/c0ffee/"),
      ("https://github.example.com/a/b/tree/v1/c", "a/b", "https://github.example.com/a/b/tree/v1/c/"),
      ("https://gitlab.com/acme/modules/gke", nil, "https://gitlab.com/acme/modules/gke/"),
      ("http://10.0.0.7:3000/x/", nil, "http://10.0.0.7:3000/x/"),
    ] as [(String, String?, String)])
  func repositoriesAreFound(url: String, slug: String?, folder: String) throws {
    let place = try #require(RepositoryPlace(url))
    #expect(place.projectSlug == slug)
    #expect(place.folder(at: "c0ffee") == folder)
  }

  @Test func whatIsNoPlainAddressIsNoLink() {
    for url in [
      "", "github.com/acme/modules", "git@github.com:acme/modules.git", "ssh://git@github.com/a/b", "file:///srv/git/a",
      "https://user:pw@github.com/a/b", "https://token@github.com/a/b", "javascript:alert(1)", "https://", "https:///x",
      "https://a b/c", "https://a/b c", "https://a/\"b", "https://1.2.3.4.5/x", "https://1.2.3.256/x", "https://a..b/x",
      "https://xn--/x", "https://a:99999/x", "https://a/b?token=x", "https://ä.example/x", "https://a/ä",
      "https://a/\n",
    ] { #expect(RepositoryPlace(url) == nil, "\(url)") }
  }

  @Test func textsAreOneLine() {
    #expect(BackstageModel.line(" a\r\n\tb\u{85}c\u{2028}d\u{0}\u{7F}e \u{FEFF}\u{FFFF}f ") == "a b c d e f")
    #expect(BackstageModel.line(" \n\u{1B} ") == nil)
    #expect(BackstageModel.line("${{ secrets.x }}: {\"a\": [1, # no] 🙂") == "${{ secrets.x }}: {\"a\": [1, # no] 🙂")
    #expect(BackstageModel.line("abcdef", atMost: 4) == "abc…")
    #expect(BackstageModel.line("abcd", atMost: 4) == "abcd")
  }

  // MARK: Entities

  @Test func aTemplateIsAComponentOrAResource() throws {
    var template = Template.named("gke-cluster")
    template.title = "GKE"
    template.owner = "@acme/cloud"
    template.repoURL = "https://github.com/acme/gke-cluster"
    template.commit = "c0ffee"
    let component = try #require(model().template(template)).document
    #expect(component["kind"] == "Component")
    #expect(
      component["spec"] == [
        "type": "terraform-module", "lifecycle": "production", "owner": "group:default/cloud",
        "system": "system:default/porc",
      ])
    #expect(component["metadata"]?["name"] == "gke-cluster-1-0-0")
    #expect(
      component["metadata"]?["annotations"]?["backstage.io/source-location"]
        == "url:https://github.com/acme/gke-cluster/tree/c0ffee/")
    #expect(component["metadata"]?["annotations"]?["github.com/project-slug"] == "acme/gke-cluster")
    template.status = .deprecated
    #expect(model().template(template)?.document["spec"]?["lifecycle"] == "deprecated")
    let resource = try #require(model { $0.templateKind = .resource }.template(template)).document
    #expect(resource["kind"] == "Resource" && resource["metadata"]?["name"] == "template_gke-cluster-1-0-0")
    #expect(
      resource["metadata"]?["annotations"]?["terasky.backstage.io/terraform-module-url"]
        == "https://github.com/acme/gke-cluster")
    template.status = .retired
    #expect(model().template(template) == nil)
    #expect([component, resource].flatMap(BackstageRules.problems) == [])
  }

  @Test func anInstanceIsAResourceOfItsTemplate() throws {
    let template = Template.named("gke-cluster")
    var metadata = BlueprintMetadata(
      name: "gke-dev", title: "GKE", environment: "dev", owner: "cloud",
      repoURL: "https://github.com/acme/blueprints/gke")
    var situation = Situation.submitted(template, metadata)
    let fresh = try #require(model().instance(situation, offered: [])).document
    #expect(fresh["spec"]?["dependsOn"] == nil, "what is not in the catalog is not referred to")
    #expect(fresh["metadata"]?["annotations"]?["terraform/workspaces"] == nil, "nor a workspace that is not there")

    situation.happen(
      .workspaceReady(workspace: Workspace(id: "ws-1", name: "porc-gke-dev")), .built(bundle: "b"),
      .planStarted(number: 1, request: PlanRequest(by: .anna), clears: nil),
      .tfeRunCreated(number: 1, tfeRunID: "run-1", configurationVersionID: "cv-1"),
      .planFailed(number: 1, failure: Failure("Error: no\nway", detail: "so")))
    let entity = try #require(model().instance(situation, offered: [template.id])).document
    #expect(
      entity["spec"] == [
        "type": "gke-cluster", "owner": "group:default/cloud", "system": "system:default/porc-dev",
        "dependsOn": ["component:default/gke-cluster-1-0-0"],
      ])
    let annotations = entity["metadata"]?["annotations"] ?? .null
    #expect(annotations["terraform/organization"] == "acme" && annotations["terraform/workspaces"] == "porc-gke-dev")
    #expect(annotations["terraform.io/project"] == "platform")
    #expect(annotations["porc.dev/status"] == "plan_failed" && annotations["porc.dev/tfe-run-id"] == "run-1")
    #expect(annotations["porc.dev/last-error"] == "Error: no way: so")
    #expect(annotations["backstage.io/managed-by-location"] == "porc:porc")
    #expect(annotations["backstage.io/view-url"] == "https://tfe.example.com/app/acme/workspaces/porc-gke-dev")
    #expect(entity["metadata"]?["labels"]?["porc.dev/status"] == "plan_failed")
    #expect(
      entity["metadata"]?["links"]?[0]?["url"] == "https://tfe.example.com/app/acme/workspaces/porc-gke-dev/runs/run-1")
    #expect([fresh, entity].flatMap(BackstageRules.problems) == [])

    metadata.environment = nil
    let other = model { settings in
      settings.namespace = "infra"
      settings.annotationPrefix = "porc.example.com"
    }.instance(.submitted(template, metadata), offered: [template.id])?.document
    #expect(other?["spec"]?["system"] == "system:infra/porc" && other?["spec"]?["owner"] == "group:default/cloud")
    #expect(other?["spec"]?["dependsOn"] == ["component:infra/gke-cluster-1-0-0"])
    #expect(other?["metadata"]?["labels"]?["porc.example.com/status"] == "submitted")
  }

  /// Whatever is in them, Backstage takes all of it, and any YAML reader reads what was meant.
  @Test(arguments: 0..<40 as Range<UInt64>)
  func hostileOnesAreValid(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let model = model { settings in
      settings.templateKind = seed.isMultiple(of: 2) ? .component : .resource
      settings.namespace = ["default", "infra", "a--b"][Int(seed % 3)]
    }
    var entities = [model.system(nil), model.location(pages: 3)]
    var identifiers: Set<String> = []
    for _ in 0..<30 {
      let template = Template.hostile(&random)
      guard identifiers.insert(template.id.rawValue).inserted else { continue }
      if let entity = model.template(template) { entities.append(entity) }
      let situation = Situation.hostile(template, &random)
      guard identifiers.insert("i " + situation.instance.id.rawValue).inserted else { continue }
      if let entity = model.instance(situation, offered: [template.id]) { entities.append(entity) }
    }
    for environment in Set(entities.compactMap(\.environment)) { entities.append(model.system(environment)) }
    let documents = entities.map(\.document)
    for document in documents {
      #expect(BackstageRules.problems(of: document) == [], "seed \(seed): \(document.json())")
    }
    #expect(BackstageRules.repeated(among: documents) == [])
    let text = documents.map { "---\n\($0.json())\n" }.joined()
    #expect(try YAMLDocuments.read(text) == documents, "seed \(seed)")
  }
}

// MARK: - Samples

extension Caller {
  static let anna = Caller(id: "token-a", name: "anna")
}

extension Template {
  static func named(_ name: String, _ version: Version = Version(major: 1, minor: 0, patch: 0)) -> Template {
    Template(name: name, version: version, inputs: [], archive: "digest", source: "test")
  }

  static func hostile(_ random: inout SplitMix) -> Template {
    var template = named(
      String.hostile(&random), Version(major: Int.random(in: 0...1, using: &random), minor: 0, patch: 0))
    template.title = .maybe(&random)
    template.description = .maybe(&random)
    template.owner = .maybe(&random)
    template.repoURL = .maybe(&random)
    template.commit = .maybe(&random)
    template.status = Template.Status.allCases.randomElement(using: &random) ?? .active
    return template
  }
}

extension Situation {
  /// A new instance.
  static func submitted(
    _ template: Template, _ metadata: BlueprintMetadata, region: String? = nil
  ) -> Situation {
    let submission = Submission(
      operation: .apply, template: template.reference, submitter: .anna, metadata: metadata, inputs: [:],
      sensitiveInputs: [], region: region, requiresApproval: false, blueprintDigest: "d", sensitiveDigest: nil)
    let fact = Fact(
      run: Run.ID("porc-1"), event: .submitted(instance: Instance.ID(metadata.name), submission: submission),
      at: Date(timeIntervalSince1970: 1_800_000_000))
    return RunMachine.evolve(nil, fact) ?? Situation.impossible
  }

  private static var impossible: Situation { fatalError("a submission makes an instance") }

  mutating func happen(_ events: RunEvent...) {
    for event in events {
      let fact = Fact(run: Run.ID("porc-1"), event: event, at: Date(timeIntervalSince1970: 1_800_000_001))
      self = RunMachine.evolve(self, fact) ?? self
    }
  }

  static func hostile(_ template: Template, _ random: inout SplitMix) -> Situation {
    let metadata = BlueprintMetadata(
      name: .hostile(&random), title: .maybe(&random), environment: .maybe(&random), owner: .maybe(&random),
      repoURL: .maybe(&random))
    var situation = submitted(template, metadata, region: .maybe(&random))
    if Bool.random(using: &random) {
      situation.happen(
        .workspaceReady(workspace: Workspace(id: .hostile(&random), name: .hostile(&random))),
        .planStarted(number: 1, request: PlanRequest(by: .anna), clears: nil),
        .tfeRunCreated(number: 1, tfeRunID: .hostile(&random), configurationVersionID: "cv-1"))
    }
    if Bool.random(using: &random) {
      situation.happen(.planFailed(number: 1, failure: Failure(.hostile(&random), detail: .maybe(&random))))
    } else if Bool.random(using: &random) {
      situation.happen(.applyFinished(number: 1, outputs: [:]))
    }
    return situation
  }
}

extension String {
  private static let nasty = [
    "${{ secrets.TOKEN }}", "{{ x }}", "---", "...", "- a", "key: value", "# no comment", "\"", "'", "\\", "\\u0000",
    "%41",
    "\u{0}", "\u{7}", "\n", "\r\n", "\t", "\u{85}", "\u{2028}", "\u{FEFF}", "\u{FFFF}", "\u{202E}", "日本語", "🙂", "é",
    "e\u{301}",
    " ", "", "-", ".", "_", "/", ":", "@", "@acme/team", "group:", "user:x/y/z", "yes", "null", "1.0", "0x10", "~",
    "!!str",
    "&a", "*a", "|", ">", "https://github.com/a/b", "https://github.com/a/b/c", "https://u:p@h/x",
    "javascript:alert(1)",
    "https://xn--x/y", "porc", "porc-dev", "dev", "Dev", "DEV", "gke-cluster", "template_x", "$text", "<script>",
    String(repeating: "x", count: 70), String(repeating: "-x", count: 40), String(repeating: "long ", count: 400),
  ]

  static func hostile(_ random: inout SplitMix) -> String {
    (0..<Int.random(in: 1...3, using: &random)).map { _ in nasty.randomElement(using: &random) ?? "" }.joined()
  }

  static func maybe(_ random: inout SplitMix) -> String? { Bool.random(using: &random) ? hostile(&random) : nil }
}

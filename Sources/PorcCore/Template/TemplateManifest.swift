import HCL

/// The optional `blueprint.yaml` in a module's folder.
struct TemplateManifest {
  static let fileName = "blueprint.yaml"

  var title: String?
  var owner: String?
  var status = Template.Status.active
  var description: String?
  var repoURL: String?
  var regionInput: String?
  var terraformVersion: String?
  var approvalRequired = false

  static func read(_ bytes: [UInt8]) -> (manifest: TemplateManifest, findings: [Finding]) {
    var manifest = TemplateManifest()
    let read: SourceValue?
    do {
      read = try DocumentText.yaml(bytes)
    } catch {
      return (manifest, error.findings.map(\.inManifest))
    }
    guard let source = read, source.content != .null else { return (manifest, []) }
    var reader = DocumentReader(source)
    manifest.title = reader.text("title")
    manifest.owner = reader.text("owner")
    manifest.description = reader.text("description", maximum: 4000)
    manifest.repoURL = reader.url("repo_url")
    manifest.regionInput = reader.text("region_input")
    manifest.terraformVersion = reader.text("terraform_version")
    manifest.approvalRequired = reader.flag("approval_required") ?? false
    manifest.status = reader.oneOf("status", Template.Status.self) ?? .active
    reader.refuseOthers()
    return (manifest, reader.findings.map(\.inManifest))
  }
}

extension Finding {
  fileprivate var inManifest: Finding {
    var finding = self
    finding.message = "\(TemplateManifest.fileName): \(message)"
    return finding
  }
}

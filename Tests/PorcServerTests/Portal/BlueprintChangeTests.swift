import Foundation
import PorcCore
import PortPortal
import Testing

@testable import PorcServer

/// What a set-up makes of blueprints that are there: PORC's parts become right, and nothing else is touched.
struct BlueprintChangeTests {
  private static let wanted = PortBlueprints(PortalSettings.sample).all[1]

  private func change(_ edit: (inout Portal.Blueprint) -> Void) -> BlueprintChange {
    var there = Self.wanted
    edit(&there)
    return BlueprintChange(from: there, to: Self.wanted)
  }

  private func property(_ blueprint: Portal.Blueprint, _ key: String) -> JSON? { blueprint.schema.properties[key] }

  @Test func whatIsAsItShouldBeNeedsNothing() {
    let change = change { _ in }
    #expect(change.patch == nil && change.conflicts.isEmpty && change.warnings.isEmpty)
  }

  @Test func whatOthersAddedStays() throws {
    let change = change { blueprint in
      blueprint.title = "Deployments"
      blueprint.icon = "Cluster"
      blueprint.schema.properties["cost"] = ["type": "number", "title": "Cost"]
      blueprint.schema.properties["region"] = nil
      blueprint.relations["team"] = .init(title: "Team", target: "team")
      blueprint.mirrorProperties["lead"] = ["path": "team.lead"]
      blueprint.calculationProperties["age"] = ["type": "number", "calculation": "1"]
    }
    #expect(change.differences == ["adds 'region'"])
    let patch = try #require(change.patch)
    #expect(patch.title == nil && patch.icon == nil && patch.relations == nil)
    #expect(patch.mirrorProperties == nil && patch.calculationProperties == nil)
    #expect(patch.schema?.properties["cost"] == ["type": "number", "title": "Cost"])
    #expect(patch.schema?.properties["region"] == property(Self.wanted, "region"))
  }

  @Test func wordsAndColoursThatPeopleChangedAreTheirs() {
    let change = change { blueprint in
      var members = blueprint.schema.properties["terraform_status"]?.object ?? [:]
      members["title"] = "State"
      members["description"] = "What TFE says."
      members["icon"] = "Alert"
      var colors = members["enumColors"]?.object ?? [:]
      colors["applied"] = "turquoise"
      members["enumColors"] = .object(colors)
      blueprint.schema.properties["terraform_status"] = .object(members)
    }
    #expect(change.patch == nil)
  }

  @Test func valuesOfAnEnumerationAreAddedAndTheirsStay() {
    let change = change { blueprint in
      var members = blueprint.schema.properties["terraform_status"]?.object ?? [:]
      members["enum"] = ["applied", "on_fire"]
      members["enumColors"] = ["applied": "lime", "on_fire": "pink"]
      blueprint.schema.properties["terraform_status"] = .object(members)
    }
    let merged = property(change.merged, "terraform_status")
    let values = merged?["enum"]?.array ?? []
    #expect(values.prefix(2) == ["applied", "on_fire"] && values.count == RunState.allCases.count + 2)
    #expect(merged?["enumColors"]?["applied"] == "lime" && merged?["enumColors"]?["on_fire"] == "pink")
    #expect(merged?["enumColors"]?["planned"] == "yellow")
    #expect(change.differences.count == 1)
  }

  @Test func formatsBecomeRight() {
    let change = change { blueprint in
      blueprint.schema.properties["tfe_link"] = ["type": "string", "title": "Link"]
      blueprint.schema.properties["region"] = ["type": "string", "format": "email"]
      blueprint.schema.properties["plan_summary"] = ["type": "string", "format": "markdown"]
    }
    #expect(property(change.merged, "tfe_link") == ["type": "string", "title": "Link", "format": "url"])
    #expect(property(change.merged, "region") == ["type": "string"])
    #expect(property(change.merged, "plan_summary")?["format"] == "markdown", "any text fits it")
    #expect(change.differences == ["'region' loses the format email", "'tfe_link' gets the format url"])
  }

  @Test func whatHasNoValueAtTimesIsNotRequired() {
    let change = change { blueprint in
      blueprint.schema.properties["cost"] = ["type": "number"]
      blueprint.schema.properties["tier"] = ["type": "string", "default": "basic"]
      blueprint.schema.required = ["region", "cost", "tier"]
      blueprint.relations["blueprint"]?.required = true
      blueprint.relations["team"] = .init(target: "team", required: true)
    }
    #expect(change.merged.schema.required == ["cost", "tier", "terraform_status"])
    #expect(change.merged.relations["blueprint"]?.required == false)
    #expect(change.merged.relations["team"]?.required == true, "theirs")
    #expect(change.warnings.count == 2 && change.warnings.allSatisfy { $0.contains("'cost'") || $0.contains("'team'") })
  }

  @Test func whatCannotBeMendedIsSaid() {
    let change = change { blueprint in
      blueprint.schema.properties["region"] = ["type": "array", "items": ["type": "string"]]
      blueprint.schema.properties["owner"] = nil
      blueprint.mirrorProperties["owner"] = ["path": "team.$identifier"]
      blueprint.relations["blueprint"] = .init(target: "service", many: true)
    }
    #expect(
      change.conflicts == [
        "'owner' is a mirror property there, and PORC writes it.",
        "'region' has the type array there, and PORC writes the type string.",
        "The relation 'blueprint' leads to several of 'service' there, not to 'blueprint_template'.",
      ])
  }

  @Test func aMissingRelationIsAdded() {
    let change = change { $0.relations = [:] }
    #expect(change.patch?.relations?["blueprint"] == Self.wanted.relations["blueprint"])
    #expect(change.patch?.schema == nil)
  }
}

extension PortalSettings {
  /// Settings of a Port that nobody calls.
  static var sample: PortalSettings {
    PortalSettings(baseURL: URL(filePath: "/"), credentials: .staticToken("unused"))
  }
}

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Sandbox
import TestKit
import Testing

/// The page at the root: who may see it and press its buttons.
@Suite(.timeLimit(.minutes(2)))
struct PortPageTests {
  /// Asks as a browser does, or as one would that was led astray.
  func ask(
    _ port: Port, _ call: String, _ headers: [String: String] = ["x-port-page": "1"], body: JSONValue? = nil
  ) async throws -> (status: Int, headers: HTTPHeaders, text: String) {
    let parts = call.split(separator: " ")
    var request = HTTPClientRequest(url: port.url + parts[1])
    request.method = HTTPMethod(rawValue: String(parts[0]))
    for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
    if let body {
      request.headers.replaceOrAdd(name: "Content-Type", value: headers["Content-Type"] ?? "application/json")
      request.body = .bytes(body.bytes)
    }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    let text = String(buffer: try await response.body.collect(upTo: 4 << 20))
    return (Int(response.status.code), response.headers, text)
  }

  @Test func itTakesNothingFromElsewhereAndCannotBePutIntoAnotherPage() async throws {
    try await Port.run { port in
      for (path, type) in [("/", "text/html"), ("/page/style.css", "text/css"), ("/page/script.js", "text/javascript")]
      {
        let answer = try await ask(port, "GET \(path)", [:])
        #expect(answer.status == 200)
        #expect(answer.headers.first(name: "Content-Type")?.hasPrefix(type) == true)
        let policy = answer.headers.first(name: "Content-Security-Policy") ?? ""
        #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
        #expect(!policy.contains("unsafe"))
        #expect(answer.text.firstRange(of: /(src|href|url)[=(]["']?https?:/) == nil)
        #expect(!answer.text.contains(Port.clientSecret) && !answer.text.contains(Port.apiToken))
      }
    }
  }

  @Test func onlyThePageItselfIsToldAnything() async throws {
    try await Port.run { port in
      try await port.setUpAction(Port.action())
      let press: JSONValue = ["action": "apply", "entity": "i"]
      let strangers: [(Int, [String: String])] = [
        (403, [:]), (403, ["x-port-page": "1", "Origin": "https://evil.example"]),
        (403, ["x-port-page": "1", "Origin": "null"]), (403, ["x-port-page": "1", "Sec-Fetch-Site": "cross-site"]),
        (403, ["x-port-page": "1", "Sec-Fetch-Site": "same-site"]),
        (421, ["x-port-page": "1", "Host": "evil.example"]),
        (421, ["x-port-page": "1", "Host": "127.0.0.1.evil.example"]),
        (403, ["Authorization": "Bearer \(Port.apiToken)"]),
      ]
      for (status, headers) in strangers {
        for (method, path) in [("GET", "/page/state"), ("POST", "/page/runs"), ("POST", "/page/runs/r_x/approval")] {
          let answer = try await ask(port, "\(method) \(path)", headers, body: method == "POST" ? press : nil)
          #expect(answer.status == status, "\(method) \(path) \(headers)")
          #expect(!answer.text.contains("planned"))
          #expect(answer.headers.first(name: "Access-Control-Allow-Origin") == nil)
        }
      }
      // A form of another page, which no browser asks about beforehand.
      let form = try await ask(
        port, "POST /page/runs", ["x-port-page": "1", "Content-Type": "text/plain"], body: press)
      #expect(form.status == 415)
      #expect(try await ask(port, "GET /", ["Host": "evil.example"]).status == 421)
      #expect(try await port.expect(200, "GET", "/v1/actions/runs")["runs"] == [])
    }
  }

  @Test func theStateComesOnceForEachChange() async throws {
    try await Port.run { port in
      try await port.setUpAction(Port.action())
      let first = try await ask(port, "GET /page/state")
      #expect(first.status == 200)
      let state = try JSONValue(parsing: first.text.utf8)
      #expect(state["blueprints"].array?.map { $0["identifier"].string } == ["instance", "template"])
      #expect(state["blueprints"][0]["entities"][0]["actions"] == ["apply"])
      #expect(!first.text.contains("s3cret") && !first.text.contains("secrets.TOKEN"))
      let tag = try #require(first.headers.first(name: "ETag"))
      let marked = ["x-port-page": "1", "If-None-Match": tag]
      #expect(try await ask(port, "GET /page/state", marked).status == 304)
      #expect(try await ask(port, "GET /page/state?q=nothing", marked).status == 200)
      try await port.expect(
        200, "PATCH", "/v1/blueprints/instance/entities/i", ["properties": ["status": "applied"]])
      let second = try await ask(port, "GET /page/state", marked)
      #expect(try JSONValue(parsing: second.text.utf8)["blueprints"][0]["entities"][0]["actions"] == [])
      let found = try JSONValue(parsing: try await ask(port, "GET /page/state?q=nothing").text.utf8)
      #expect(found["blueprints"][0]["found"] == 0)
      #expect(found["blueprints"][0]["total"] == 1)
    }
  }

  @Test func aPressThatIsRefusedSaysWhy() async throws {
    try await Port.run { port in
      try await port.setUpAction(Port.action())
      let refused = try await ask(port, "POST /page/runs", body: ["action": "apply", "entity": "none"])
      #expect(refused.status == 404)
      let nobody = try await ask(port, "POST /page/runs", body: ["action": "apply", "entity": "i", "user": "me"])
      #expect(nobody.status == 422)
      let taken = try await ask(
        port, "POST /page/runs", body: ["action": "apply", "entity": "i", "user": "me@b.example"])
      #expect(taken.status == 202)
      let run = try JSONValue(parsing: taken.text.utf8)["run"]
      #expect(run["source"] == "UI")
      #expect(run["createdBy"] == "me@b.example")
    }
  }

  @Test(
    .enabled(if: Browser.isInstalled, "There is no Chromium with its driver: apt-get install chromium chromium-driver"))
  func aPressInABrowserEndsWithAClosedRun() async throws {
    let backend = ScriptedServer()
    backend.on("POST /x", .json("{}", status: 202))
    try await backend.serve { url in
      try await Port.run { port in
        // An empty registry says what to do.
        try await Browser.run { browser in
          try await browser.open(port.url)
          try await browser.wait(for: "document.querySelector('.empty').textContent.includes('porc dev')")

          try await port.setUpAction(Port.action("apply", url: url + "/x", ["description": "It applies."]))
          let hostile = #"<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>"#
          try await port.expect(
            200, "PATCH", "/v1/blueprints/instance/entities/i",
            ["title": .string(hostile), "properties": ["link": "javascript://x/%0Awindow.hacked=1"]])
          let card = "document.querySelector('[data-entity=i]')"
          let title = try await browser.wait(
            for: "\(card).querySelector('h3').textContent.startsWith('<') && \(card).querySelector('h3').textContent")
          #expect(title.string == hostile)
          #expect(try await browser.value("\(card).querySelectorAll('img, script').length") == 0)
          #expect(try await browser.value("\(card).querySelectorAll('a[href^=\"javascript\"]').length") == 0)
          #expect(try await browser.value("typeof window.hacked") == "undefined")
          #expect(try await browser.value("\(card).querySelector('.badge').className") == "badge blue")

          // It asks first, and a change of mind sends nothing.
          try await browser.click("[data-entity=i] [data-action=apply]")
          try await browser.wait(for: "document.getElementById('ask').open")
          #expect(try await browser.value("document.getElementById('ask-text').textContent") == "It applies.")
          try await browser.click("#ask-no")
          #expect(backend.calls == [])
          try await browser.click("[data-entity=i] [data-action=apply]")
          try await browser.click("#ask-yes")
          try await browser.wait(for: "\(card).querySelector('.run[data-status=IN_PROGRESS]')")

          // What the backend reports is seen while it goes on.
          let id = try await browser.value("\(card).querySelector('.run').dataset.run").string ?? ""
          _ = try await port.run(id) { $0["pendingExecution"] == false }
          #expect(backend.calls == ["POST /x"])
          #expect(try JSONValue(parsing: backend.requests[0].body)["port_context"]["runId"].string == id)
          try await port.expect(
            200, "PATCH", "/v1/actions/runs/\(id)", ["statusLabel": "applying", "link": "https://tfe.example/run-1"])
          try await port.expect(201, "POST", "/v1/actions/runs/\(id)/logs", ["message": "<b>Apply</b> began"])
          try await browser.wait(for: "\(card).querySelector('.run .log li').textContent === '<b>Apply</b> began'")
          #expect(try await browser.value("\(card).querySelector('.run .links a').href") == "https://tfe.example/run-1")
          try await port.expect(
            200, "PATCH", "/v1/blueprints/instance/entities/i?run_id=\(id)", ["properties": ["status": "applied"]])
          try await port.expect(
            201, "POST", "/v1/actions/runs/\(id)/logs", ["message": "done", "terminationStatus": "SUCCESS"])
          try await browser.wait(for: "\(card).querySelector('.run[data-status=SUCCESS]')")
          try await browser.wait(for: "document.querySelector('#runs [data-status=SUCCESS]')")
          // The action does not apply any more, so its button is gone.
          #expect(try await browser.value("\(card).querySelectorAll('[data-action]').length") == 0)
          #expect(try await browser.value("\(card).querySelector('.badge').className") == "badge green")
        }
      }
    }
  }
}

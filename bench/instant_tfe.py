#!/usr/bin/env python3
"""A Terraform Enterprise that answers at once and runs nothing: what is measured against it is its client.

Plans and applies are over when their call is answered. It counts the calls that the vendor counts, tells by signed notifications what
happened to runs, and with --rate N answers 429 to more than N of them in a second, as the vendor does for N = 30.
"""

import argparse
import asyncio
import hashlib
import hmac
import itertools
import json
import re
import secrets
import time
import urllib.parse

JSON = "application/vnd.api+json"


class Refusal(Exception):
    def __init__(self, status, title, headers=()):
        self.status, self.title, self.headers = status, title, headers


class Installation:
    """What it knows, and the routes."""

    def __init__(self, organization, token, rate):
        self.organization, self.token, self.rate = organization, token, rate
        self.numbers = itertools.count(1)
        self.workspaces, self.names, self.versions, self.runs, self.plans = {}, {}, {}, {}, {}
        self.notifications, self.notified = {}, {}
        self.window, self.window_calls = 0, 0
        self.applied_at = {}
        self.reset()
        api = r"/api/v2"
        self.routes = [(method, re.compile(f"{api}{path}$"), answer) for method, path, answer in [
            ("GET", r"/ping", lambda *_: (204, None)),
            ("GET", r"/organizations/([^/]+)", self.show_organization),
            ("GET", r"/organizations/[^/]+/entitlement-set", self.entitlements),
            ("GET", r"/organizations/[^/]+/projects", lambda *_: (200, page([self.project()]))),
            ("POST", r"/organizations/[^/]+/workspaces", self.make_workspace),
            ("GET", r"/organizations/[^/]+/workspaces", self.list_workspaces),
            ("GET", r"/organizations/[^/]+/workspaces/([^/]+)", self.find_workspace),
            ("GET", r"/workspaces/([^/]+)", lambda body, query, id: (200, self.workspace(id))),
            ("PATCH", r"/workspaces/([^/]+)", lambda body, query, id: (200, self.workspace(id))),
            ("GET", r"/workspaces/([^/]+)/tag-bindings", self.tags),
            ("GET", r"/workspaces/([^/]+)/vars", lambda *_: (200, page([]))),
            ("GET", r"/workspaces/([^/]+)/runs", self.list_runs),
            ("POST", r"/workspaces/([^/]+)/configuration-versions", self.make_version),
            ("GET", r"/workspaces/([^/]+)/current-state-version-outputs", self.outputs),
            ("GET", r"/configuration-versions/([^/]+)", self.show_version),
            ("POST", r"/runs", self.make_run),
            ("GET", r"/runs/([^/]+)", lambda body, query, id: (200, self.run(id))),
            ("POST", r"/runs/([^/]+)/actions/apply", self.apply),
            ("POST", r"/runs/([^/]+)/actions/(?:discard|cancel)", self.discard),
            ("POST", r"/(workspaces|projects)/([^/]+)/notification-configurations", self.make_notification),
            ("GET", r"/(workspaces|projects)/([^/]+)/notification-configurations", self.list_notifications),
            ("PATCH", r"/notification-configurations/([^/]+)", self.change_notification),
        ]]

    def reset(self):
        """Begins to count anew."""
        self.calls, self.refused, self.by_call = 0, 0, {}
        self.seconds, self.applied = {}, 0

    def id(self, prefix):
        return f"{prefix}-{next(self.numbers):016d}"

    # What is counted

    def count(self, method, path):
        now = time.monotonic()
        if self.rate:
            # A window of a second that begins with its first call, as simple limiters have it.
            if now - self.window >= 1:
                self.window, self.window_calls = now, 0
            self.window_calls += 1
            if self.window_calls > self.rate:
                self.refused += 1
                left = max(0.001, 1 - (now - self.window))
                raise Refusal(429, "Too many requests", [("X-RateLimit-Reset", f"{left:.3f}")])
        self.calls += 1
        self.seconds[int(now)] = self.seconds.get(int(now), 0) + 1
        name = method + " " + re.sub(r"/[a-z]+-\d{16}|(?<=/workspaces)/porc-[^/]+", "/:id", path.removeprefix("/api/v2"))
        self.by_call[name] = self.by_call.get(name, 0) + 1

    def statistics(self):
        return {"calls": self.calls, "refused": self.refused, "by_call": self.by_call, "applied": self.applied,
                "busiest_second": max(self.seconds.values(), default=0)}

    # Documents

    def project(self):
        return resource("projects", "prj-0000000000000001", {"name": "Default Project"})

    def show_organization(self, body, query, name):
        return 200, document(resource("organizations", name, {"name": name}))

    def entitlements(self, body, query):
        return 200, document(resource("entitlement-sets", self.organization, {"operations": True}))

    def workspace_resource(self, id):
        if id not in self.workspaces:
            raise Refusal(404, "not found")
        workspace = self.workspaces[id]
        related = {"project": one("projects", "prj-0000000000000001")}
        if workspace["run"]:
            related["current-run"] = one("runs", workspace["run"])
        return resource("workspaces", id, {
            "name": workspace["name"], "execution-mode": "remote", "locked": False, "terraform-version": "1.11.4",
            "permissions": {"can-update": True, "can-queue-apply": True}, "actions": {"is-destroyable": True},
        }, related)

    def workspace(self, id):
        current = self.workspaces.get(id, {}).get("run")
        return document(self.workspace_resource(id), [self.run_resource(current)] if current else [])

    def make_workspace(self, body, query):
        data = json.loads(body)["data"]
        name = data["attributes"]["name"]
        if name in self.names:
            raise Refusal(422, "Name has already been taken")
        id = self.id("ws")
        bindings = data.get("relationships", {}).get("tag-bindings", {}).get("data", [])
        self.names[name] = id
        self.workspaces[id] = {"name": name, "run": None, "tags": {
            tag["attributes"]["key"]: tag["attributes"]["value"] for tag in bindings}}
        return 201, self.workspace(id)

    def find_workspace(self, body, query, name):
        if name not in self.names:
            raise Refusal(404, "not found")
        return 200, self.workspace(self.names[name])

    def list_workspaces(self, body, query):
        """All are this installation's: only the filter by the current run's status counts."""
        statuses = query.get("filter[current-run][status]")
        found = [id for id, workspace in self.workspaces.items() if not statuses
                 or (workspace["run"] and self.runs[workspace["run"]]["status"] in statuses.split(","))]
        number, size = int(query.get("page[number]", 1)), int(query.get("page[size]", 20))
        shown = found[(number - 1) * size:number * size]
        runs = [self.run_resource(run) for id in shown if (run := self.workspaces[id]["run"])]
        return 200, page([self.workspace_resource(id) for id in shown], runs, number, size, len(found))

    def tags(self, body, query, id):
        return 200, page([resource("tag-bindings", f"tb-{key}", {"key": key, "value": value})
                          for key, value in self.workspaces[id]["tags"].items()])

    def make_version(self, body, query, workspace):
        id = self.id("cv")
        self.versions[id] = workspace
        return 201, document(resource("configuration-versions", id, {
            "status": "pending", "upload-url": f"{self.address}/upload/{id}"}))

    def show_version(self, body, query, id):
        return 200, document(resource("configuration-versions", id, {"status": "uploaded"}))

    def run_resource(self, id):
        if id not in self.runs:
            raise Refusal(404, "not found")
        run = self.runs[id]
        waits, status = run["status"] == "planned", run["status"]
        return resource("runs", id, {
            "status": status, "has-changes": True, "message": run["message"], "auto-apply": run["auto"],
            "is-destroy": run["destroy"], "plan-only": False, "source": "tfe-api",
            "created-at": "2026-01-01T00:00:00Z", "status-timestamps": run["times"], "permissions": {"can-apply": True},
            "actions": {"is-confirmable": waits, "is-discardable": waits, "is-cancelable": False},
        }, {
            "workspace": one("workspaces", run["workspace"]), "plan": one("plans", f"plan-{id[4:]}"),
            "apply": one("applies", f"apply-{id[4:]}"),
            "configuration-version": one("configuration-versions", run["version"]),
        })

    def run(self, id):
        found = self.run_resource(id)
        applied = self.runs[id]["status"] == "applied"
        counts = {"resource-additions": 1, "resource-changes": 0, "resource-destructions": 0, "resource-imports": 0}
        return document(found, [
            resource("plans", f"plan-{id[4:]}", {
                "status": "finished", "has-changes": True, "log-read-url": f"{self.address}/log/plan", **counts}),
            resource("applies", f"apply-{id[4:]}", {"status": "finished" if applied else "pending", **counts}),
        ])

    def list_runs(self, body, query, workspace):
        wanted = query.get("search[basic]", "")
        return 200, page([self.run_resource(id) for id, run in self.runs.items()
                          if run["workspace"] == workspace and wanted in run["message"]][-20:])

    def make_run(self, body, query):
        data = json.loads(body)["data"]
        attributes, related = data["attributes"], data["relationships"]
        id, workspace = self.id("run"), related["workspace"]["data"]["id"]
        auto = bool(attributes.get("auto-apply"))
        self.runs[id] = {
            "status": "applied" if auto else "planned", "message": attributes.get("message", ""), "auto": auto,
            "destroy": bool(attributes.get("is-destroy")), "workspace": workspace,
            "version": related["configuration-version"]["data"]["id"],
            "times": {"planned-at": "2026-01-01T00:00:00Z", **(APPLIED if auto else {})},
        }
        self.workspaces[workspace]["run"] = id
        self.applied += auto
        self.tell(id, "run:completed" if auto else "run:needs_attention")
        return 201, self.run(id)

    def apply(self, body, query, id):
        if self.runs[id]["status"] != "planned":
            raise Refusal(409, "transition not allowed")
        self.runs[id]["status"] = "applied"
        self.runs[id]["times"].update(APPLIED)
        self.applied += 1
        self.tell(id, "run:completed")
        return 202, None

    async def apply_outside(self, rate):
        """Somebody applies every plan in TFE's own pages, `rate` a second; notes when."""
        waiting = [id for id, run in self.runs.items() if run["status"] == "planned"]
        start, self.applied_at = time.monotonic(), {}
        for number, id in enumerate(waiting):
            await asyncio.sleep(max(0, start + number / rate - time.monotonic()))
            self.applied_at[id] = time.time()
            self.apply(None, None, id)

    def discard(self, body, query, id):
        if self.runs[id]["status"] != "planned":
            raise Refusal(409, "transition not allowed")
        self.runs[id]["status"] = "discarded"
        self.tell(id, "run:errored")
        return 202, None

    def outputs(self, body, query, workspace):
        return 200, page([resource("state-version-outputs", "wsout-0000000000000001", {
            "name": "text", "sensitive": False, "type": "string", "detailed-type": "string", "value": "hello"})])

    # Notifications

    def notification(self, id):
        shown = {key: value for key, value in self.notifications[id].items() if key != "token"}
        return resource("notification-configurations", id, shown)

    def make_notification(self, body, query, kind, scope):
        if kind == "projects":
            raise Refusal(404, "not found")
        id = self.id("nc")
        self.notifications[id] = json.loads(body)["data"]["attributes"]
        self.notified.setdefault(scope, []).append(id)
        self.tell_verification(id)
        return 201, document(self.notification(id))

    def list_notifications(self, body, query, kind, scope):
        return 200, page([self.notification(id) for id in self.notified.get(scope, [])])

    def change_notification(self, body, query, id):
        self.notifications[id].update(json.loads(body)["data"]["attributes"])
        return 200, document(self.notification(id))

    def tell_verification(self, id):
        payload = {"payload_version": 1, "notification_configuration_id": id, "run_id": None, "workspace_id": None,
                   "notifications": [{"message": "Verification", "trigger": "verification", "run_status": None}]}
        self.post(self.notifications[id], payload)

    def tell(self, run, trigger):
        """After the call's own answer has gone out."""
        found = self.runs[run]
        for id in self.notified.get(found["workspace"], []):
            configuration = self.notifications[id]
            if configuration.get("enabled") and trigger in configuration.get("triggers", []):
                self.post(configuration, {
                    "payload_version": 1, "notification_configuration_id": id, "run_id": run,
                    "run_message": found["message"], "workspace_id": found["workspace"],
                    "workspace_name": self.workspaces[found["workspace"]]["name"],
                    "organization_name": self.organization, "notifications": [{
                        "message": "", "trigger": trigger, "run_status": found["status"],
                        "run_updated_at": "2026-01-01T00:00:00Z"}]})

    def post(self, configuration, payload):
        body = json.dumps(payload).encode()
        signature = hmac.new((configuration.get("token") or "").encode(), body, hashlib.sha512).hexdigest()
        asyncio.get_running_loop().call_soon(
            lambda: self.courier.put_nowait((configuration["url"], body, signature)))

    async def deliver(self):
        """Over one connection that is kept."""
        reader = writer = None
        while True:
            url, body, signature = await self.courier.get()
            parts = urllib.parse.urlsplit(url)
            try:
                if writer is None or writer.is_closing():
                    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                writer.write(
                    f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
                    f"X-TFE-Notification-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head, re.I)
                if length:
                    await reader.readexactly(int(length.group(1)))
            except (OSError, asyncio.IncompleteReadError):
                writer = None


PLAN_LOG = "\x02" + "".join(json.dumps(line) + "\n" for line in [
    {"type": "planned_change", "change": {"resource": {"addr": "terraform_data.one"}, "action": "create"}},
    {"type": "change_summary", "changes": {"add": 1, "change": 0, "remove": 0, "operation": "plan"}},
]) + "\x03"

APPLIED = {"applying-at": "2026-01-01T00:00:00Z", "applied-at": "2026-01-01T00:00:00Z"}


def resource(type, id, attributes, related=None):
    return {"id": id, "type": type, "attributes": attributes, "relationships": related or {}}


def one(type, id):
    return {"data": {"id": id, "type": type}}


def document(data, included=()):
    return {"data": data, "included": list(included)}


def page(data, included=(), number=1, size=100, total=None):
    total = len(data) if total is None else total
    following = number + 1 if number * size < total else None
    return {"data": data, "included": list(included), "meta": {"pagination": {
        "current-page": number, "page-size": size, "prev-page": number - 1 or None, "next-page": following,
        "total-count": total, "total-pages": max(1, -(-total // size))}}}


class Connection(asyncio.Protocol):
    """HTTP/1.1 with Content-Length, as far as one client needs it."""

    def __init__(self, installation):
        self.installation, self.buffer = installation, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1")
            length = re.search(r"\r\ncontent-length: *(\d+)", head, re.I)
            whole = end + 4 + (int(length.group(1)) if length else 0)
            if len(self.buffer) < whole:
                if re.search(r"\r\nexpect: *100", head, re.I):
                    self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body, self.buffer = self.buffer[end + 4:whole], self.buffer[whole:]
            self.answer(head, body)

    def answer(self, head, body):
        method, target, _ = head.split("\r\n", 1)[0].split(" ")
        path, _, query = target.partition("?")
        try:
            status, found = self.found(method, path, query, head, body)
            headers = ()
        except Refusal as refusal:
            status, headers = refusal.status, refusal.headers
            found = {"errors": [{"status": str(status), "title": refusal.title}]}
        text = b"" if found is None else found.encode() if isinstance(found, str) else json.dumps(found).encode()
        extra = "".join(f"{name}: {value}\r\n" for name, value in headers)
        if self.installation.rate:
            extra += f"X-RateLimit-Limit: {self.installation.rate}\r\n"
        self.transport.write(
            f"HTTP/1.1 {status} -\r\nContent-Type: {JSON}\r\n{extra}Content-Length: {len(text)}\r\n\r\n".encode() + text)

    def found(self, method, path, query, head, body):
        tfe = self.installation
        if path == "/.well-known/terraform.json":
            return 200, {"tfe.v2": "/api/v2/"}
        if path == "/statistics":
            return 200, tfe.statistics()
        if path == "/reset":
            tfe.reset()
            return 200, {}
        if path.startswith("/apply-outside/"):
            tfe.task = asyncio.create_task(tfe.apply_outside(float(path.rsplit("/", 1)[1])))
            return 200, {}
        if path == "/applied-at":
            return 200, tfe.applied_at
        if path.startswith("/upload/"):
            return 200, None
        if path == "/log/plan":
            return 200, PLAN_LOG
        if f"bearer {tfe.token}".lower() not in head.lower():
            raise Refusal(401, "unauthorized")
        tfe.count(method, path)
        parameters = {key: values[0] for key, values in urllib.parse.parse_qs(query).items()}
        for known, pattern, answer in tfe.routes:
            if known == method and (match := pattern.match(path)):
                return answer(body, parameters, *match.groups())
        raise Refusal(404, f"there is no {method} {path}")


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organization", required=True)
    parser.add_argument("--token-file", required=True)
    parser.add_argument("--rate", type=int, default=0, help="calls a second; 0 for no limit")
    options = parser.parse_args()
    installation = Installation(options.organization, open(options.token_file).read().strip(), options.rate)
    installation.courier = asyncio.Queue()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(installation), "127.0.0.1", 0)
    installation.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(json.dumps({"ready": True, "tfe": installation.address}), flush=True)
    couriers = [asyncio.create_task(installation.deliver()) for _ in range(4)]
    await server.serve_forever()
    await asyncio.gather(*couriers)


if __name__ == "__main__":
    asyncio.run(main())

#!/usr/bin/env python3
"""A Port that keeps entities in memory and answers after --delay milliseconds: what is measured against it is its client.

It notes when it had which state of which entity, counts the calls, and can be away.
"""

import argparse
import asyncio
import json
import re
import time
import urllib.parse


class Port:
    def __init__(self, delay):
        self.delay, self.is_away, self.blueprints, self.entities = delay, False, {}, {}
        self.reset()
        entity = r"/v1/blueprints/([^/]+)/entities"
        self.routes = [(method, re.compile(path + "$"), answer) for method, path, answer in [
            ("POST", r"/v1/auth/access_token", self.token),
            ("GET", r"/v1/blueprints/([^/]+)", self.show_blueprint),
            ("POST", r"/v1/blueprints", self.make_blueprint),
            ("PUT", r"/v1/blueprints/([^/]+)", self.change_blueprint),
            ("PATCH", r"/v1/blueprints/([^/]+)", self.change_blueprint),
            ("POST", entity + "/bulk", self.bulk),
            ("POST", entity + "/search", self.search),
            ("POST", entity, lambda body, blueprint: (201, {"ok": True, "entity": self.merge(blueprint, body)})),
            ("GET", entity + "/([^/]+)", self.show),
            ("PATCH", entity + "/([^/]+)", self.patch),
            ("DELETE", entity + "/([^/]+)", self.delete),
        ]]

    def reset(self):
        """Begins to count anew."""
        self.calls, self.writes, self.seen, self.by_entity = 0, 0, {}, {}

    def statistics(self):
        return {"calls": self.calls, "writes": self.writes, "seen": self.seen,
                "most_writes": max(self.by_entity.values(), default=0)}

    def token(self, body):
        return 200, {"ok": True, "accessToken": "instant", "expiresIn": 10800, "tokenType": "Bearer"}

    def show_blueprint(self, body, name):
        if name not in self.blueprints:
            return self.missing("Blueprint", name)
        return 200, {"ok": True, "blueprint": self.blueprints[name]}

    def make_blueprint(self, body):
        self.blueprints[body["identifier"]] = body
        return 201, {"ok": True, "blueprint": body}

    def change_blueprint(self, body, name):
        self.blueprints[name].update(body)
        return 200, {"ok": True, "blueprint": self.blueprints[name]}

    def merge(self, blueprint, sent, name=None):
        name = name or sent["identifier"]
        found = self.entities.setdefault((blueprint, name), {"identifier": name, "properties": {}, "relations": {}})
        found["title"] = sent.get("title", found.get("title"))
        for part in ["properties", "relations"]:
            merged = {**found[part], **sent.get(part, {})}
            found[part] = {key: value for key, value in merged.items() if value is not None}
        self.by_entity[name] = self.by_entity.get(name, 0) + 1
        status, run = found["properties"].get("terraform_status"), found["properties"].get("run_id")
        self.seen.setdefault(f"{run} {status}", time.time())
        return found

    def bulk(self, body, blueprint):
        self.writes += 1
        stored = []
        for index, sent in enumerate(body["entities"]):
            created = (blueprint, sent["identifier"]) not in self.entities
            self.merge(blueprint, sent)
            stored.append({"identifier": sent["identifier"], "index": index, "created": created})
        return 200, {"ok": True, "entities": stored, "errors": []}

    def search(self, body, blueprint):
        found = [entity for (of, _), entity in self.entities.items() if of == blueprint]
        start = int(body.get("from") or 0)
        end = start + body.get("limit", 200)
        return 200, {"ok": True, "entities": found[start:end], "next": str(end) if end < len(found) else None}

    def show(self, body, blueprint, name):
        found = self.entities.get((blueprint, name))
        return (200, {"ok": True, "entity": found}) if found else self.missing("Entity", name)

    def patch(self, body, blueprint, name):
        self.writes += 1
        if (blueprint, name) not in self.entities:
            return self.missing("Entity", name)
        return 200, {"ok": True, "entity": self.merge(blueprint, body, name)}

    def delete(self, body, blueprint, name):
        self.writes += 1
        self.entities.pop((blueprint, name), None)
        return 200, {"ok": True}

    def missing(self, kind, name):
        return 404, {"ok": False, "error": "not_found", "message": f"{kind} with identifier {name} was not found"}

    def found(self, method, path, body):
        if path == "/statistics":
            return 200, self.statistics()
        if path == "/reset":
            self.reset()
            return 200, {}
        if path in ["/leave", "/return"]:
            self.is_away = path == "/leave"
            return 200, {}
        self.calls += 1
        if self.is_away:
            return 503, {"ok": False, "error": "unavailable", "message": "away"}
        for known, pattern, answer in self.routes:
            if known == method and (match := pattern.match(path)):
                return answer(json.loads(body or b"{}"), *map(urllib.parse.unquote, match.groups()))
        return self.missing("Route", path)


class Connection(asyncio.Protocol):
    """HTTP/1.1 with Content-Length, as far as one client needs it, which sends its next request after the answer."""

    def __init__(self, port):
        self.port, self.buffer = port, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1")
            length = re.search(r"\r\ncontent-length: *(\d+)", head, re.I)
            whole = end + 4 + (int(length.group(1)) if length else 0)
            if len(self.buffer) < whole:
                return
            body, self.buffer = self.buffer[end + 4:whole], self.buffer[whole:]
            method, target, _ = head.split("\r\n", 1)[0].split(" ")
            # What is asked is done when it is answered.
            asyncio.get_running_loop().call_later(
                self.port.delay / 1000, self.answer, method, target.partition("?")[0], body)

    def answer(self, method, path, body):
        status, found = self.port.found(method, path, body)
        text = json.dumps(found).encode()
        self.transport.write(
            f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=10, help="milliseconds until a call is answered")
    port = Port(parser.parse_args().delay)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(port), "127.0.0.1", 0)
    print(json.dumps({"ready": True, "port": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())

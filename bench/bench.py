#!/usr/bin/env python3
"""Measures PORC as it is built for production, and prints a table; with --json FILE, the same as JSON.

The method and how to read the figures: docs/benchmarks.md. Needs wrk, and terraform on the PATH.
"""

import argparse
import base64
import concurrent.futures
import contextlib
import http.client
import json
import os
import platform
import queue
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TICKS = os.sysconf("SC_CLK_TCK")


def blueprint(name):
    return {
        "kind": "bench", "schema_version": "1.0.0",
        "metadata": {"name": name, "title": "Bench", "environment": "dev", "owner": "bench"},
        "inputs": {"text": "hello", "region": "eu-west"},
    }


MODULE = """
variable "text" { type = string }
variable "region" { type = string }
resource "terraform_data" "one" { input = var.text }
output "text" { value = terraform_data.one.output }
"""


class Server:
    """A porc process, from its ready line to its end."""

    def __init__(self, arguments, environment, log):
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            arguments, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=open(log, "ab"), text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{' '.join(arguments)} did not start; see {log}: {open(log).read()[-2000:]}")
        self.ready = json.loads(line)

    def cpu(self):
        """Seconds of CPU time that the process has used."""
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self, what="VmRSS"):
        """Resident memory in MB."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(what):
                return int(line.split()[1]) / 1024

    def peak_memory(self):
        return self.memory("VmHWM")

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        start = time.monotonic()
        self.process.wait(60)
        return time.monotonic() - start


class Place:
    """porc serve with the two embedded servers, each a process of its own."""

    def __init__(self, folder, binary):
        self.folder, self.binary = folder, binary
        module = os.path.join(folder, "templates", "bench", "1.0.0")
        os.makedirs(module)
        open(os.path.join(module, "main.tf"), "w").write(MODULE)
        for name in ["tfe-token", "port-secret"]:
            self.write(name, secrets.token_hex(16))
        self.write("key", base64.b64encode(os.urandom(32)).decode())
        self.listen_port = free_port()
        self.tfe = self.port = self.porc = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with os.fdopen(os.open(self.path(name), os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(text)

    def start_instant_tfe(self, rate, with_port=True):
        self.tfe = Server(
            [sys.executable, os.path.join(ROOT, "bench/instant_tfe.py"), "--organization", "bench", "--token-file",
             self.path("tfe-token"), "--rate", str(rate)], {}, self.path("tfe.log"))
        if with_port:
            self.start_port()

    def start_sandboxes(self):
        self.tfe = Server(
            [self.binary, "sandbox", "tfe", "--listen", "127.0.0.1:0", "--data", self.path("tfe"), "--organization",
             "bench", "--token-file", self.path("tfe-token")], {}, self.path("tfe.log"))
        self.start_port()

    def start_instant_port(self, delay):
        self.port = Server(
            [sys.executable, os.path.join(ROOT, "bench/instant_port.py"), "--delay", str(delay)], {},
            self.path("port.log"))

    def start_port(self):
        self.port = Server(
            [self.binary, "sandbox", "port", "--listen", "127.0.0.1:0", "--data", self.path("port"), "--client-id",
             "bench", "--client-secret-file", self.path("port-secret")], {}, self.path("port.log"))

    def environment(self):
        return {
            "TFE_ADDRESS": self.tfe.ready["tfe"], "TFE_TOKEN": open(self.path("tfe-token")).read().strip(),
            "TFE_ORGANIZATION": "bench", "PORT_BASE_URL": self.port.ready["port"], "PORT_CLIENT_ID": "bench",
            "PORT_CLIENT_SECRET": open(self.path("port-secret")).read().strip(), "PORT_SETUP": "yes",
            "PORC_DATABASE_URL": "sqlite:" + self.path("porc.sqlite"), "PORC_SECRET_KEY_FILE": self.path("key"),
            "PORC_TEMPLATES": self.path("templates"), "PORC_LISTEN": f"127.0.0.1:{self.listen_port}",
            "PORC_PUBLIC_URL": f"http://127.0.0.1:{self.listen_port}",
        }

    def start(self, *options, **environment):
        self.porc = Server(
            [self.binary, "serve", "--log-level", "warning", *options], {**self.environment(), **environment},
            self.path("porc.log"))
        self.address = self.porc.ready["porc"].replace("http://", "")

    def token(self):
        made = subprocess.run(
            [self.binary, "token", "create", "bench", "--scope", "admin"], capture_output=True, text=True, check=True,
            env={**os.environ, "PORC_DATABASE_URL": "sqlite:" + self.path("porc.sqlite")})
        self.secret = made.stdout.strip()

    def port_writes(self):
        """How many calls Port has had that changed entities."""
        log = open(self.path("port/requests.jsonl"))
        return sum(1 for line in log if (call := json.loads(line))["method"] != "GET" and "/entities" in call["path"]
                   and "/search" not in call["path"])

    def stop(self):
        for server in [self.porc, self.tfe, self.port]:
            if server:
                server.end()


class Caller:
    """One connection to PORC's API."""

    def __init__(self, place):
        self.connection = http.client.HTTPConnection(place.address, timeout=60)
        self.headers = {"Authorization": f"Bearer {place.secret}", "Content-Type": "application/json"}

    def call(self, method, path, body=None, headers={}):
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, {**self.headers, **headers})
        answer = self.connection.getresponse()
        text = answer.read()
        self.tag = answer.headers.get("ETag")
        return answer.status, json.loads(text) if text else None

    def until(self, run, state):
        """Waits as pine does: asks for what is other than what it has seen."""
        wait, seen = "", {}
        while True:
            status, body = self.call("GET", f"/runs/{run}/status{wait}", headers=seen)
            wait, seen = "?wait=20", {"If-None-Match": self.tag}
            if status == 304:
                continue
            if body["status"] == state:
                return body
            if body["is_final"]:
                sys.exit(f"{run} ended {body['status']}")

    def metric(self, name):
        self.connection.request("GET", "/metrics", headers=self.headers)
        text = self.connection.getresponse().read().decode()
        found = re.search(rf"^{re.escape(name)}(?:\{{.*\}})? (\S+)$", text, re.M)
        return float(found.group(1)) if found else 0

    def until_portal_shows(self, templates):
        while self.metric("porc_source_templates") != templates or self.metric("porc_portal_behind"):
            time.sleep(0.01)

    def deploy(self, name):
        run = self.call("POST", "/runs", blueprint(name))[1]["run_id"]
        self.call("POST", f"/runs/{run}/plan")
        self.until(run, "planned")
        self.call("POST", f"/runs/{run}/apply")
        self.until(run, "applied")
        return run


# wrk: a script each, and what it prints.

SUBMIT = """
local thread = 0
function setup(thread_) thread = thread + 1; thread_:set("id", thread) end
function init() counter = 0 end
function request()
  counter = counter + 1
  local name = string.format("%s-%d-%d", PREFIX, id, counter)
  return wrk.format("POST", "/runs", HEADERS, string.format(BODY, name))
end
"""


def wrk(place, connections, seconds, script):
    with tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False) as file:
        file.write(script)
    before = place.porc.cpu()
    said = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s", "-s", file.name,
         f"http://{place.address}/"], capture_output=True, text=True)
    cpu, text = place.porc.cpu() - before, said.stdout
    os.unlink(file.name)
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    if not requests:
        sys.exit(f"nothing was answered:\n{text}\n{said.stderr}")
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if bad:
        sys.exit(f"{bad.group(1)} of {requests} requests were not answered 2xx:\n{text}\n{said.stderr}")
    return {
        "requests": requests, "per_second": round(float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))),
        "median_ms": milliseconds(re.search(r"^ +50% +(\S+)", text, re.M).group(1)),
        "p99_ms": milliseconds(re.search(r"^ +99% +(\S+)", text, re.M).group(1)),
        "cpu_us_per_request": round(cpu / requests * 1e6),
    }


def milliseconds(text):
    number, unit = re.match(r"([\d.]+)(\D+)", text).groups()
    return round(float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit], 2)


def lua(place, path, method="GET"):
    return f'wrk.method = "{method}"\nwrk.path = "{path}"\nwrk.headers["Authorization"] = "Bearer {place.secret}"\n'


def submit_script(place, prefix):
    body = json.dumps(blueprint("NAME")).replace("%", "%%").replace("NAME", "%s")
    return (f"local PREFIX = '{prefix}'\nlocal BODY = '{body}'\n"
            f"local HEADERS = {{ ['Authorization'] = 'Bearer {place.secret}', ['Content-Type'] = 'application/json' }}\n"
            + SUBMIT)


# The figures.


def cold_start(place, times):
    """From the start of the process to its first answer; the database is there already."""
    found = []
    port = 20000 + os.getpid() % 10000
    for _ in range(times):
        environment = {**os.environ, **place.environment(), "PORC_LISTEN": f"127.0.0.1:{port}"}
        start = time.monotonic()
        process = subprocess.Popen(
            [place.binary, "serve", "--log-level", "error"], env=environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        while True:
            with contextlib.suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    break
            time.sleep(0.001)
        found.append((time.monotonic() - start) * 1000)
        process.send_signal(signal.SIGTERM)
        process.wait()
    return {"median_ms": round(statistics.median(found), 1), "max_ms": round(max(found), 1)}


def many_submits(place, count, connections):
    """`count` submits by `connections`, then SIGKILL: every run that was answered is there."""
    answered, lock = [], threading.Lock()
    numbers = iter(range(count))

    def work():
        caller, mine = Caller(place), []
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            status, body = caller.call("POST", "/runs", blueprint(f"many-{number}"))
            assert status == 201, body
            mine.append(body["run_id"])
        with lock:
            answered.extend(mine)

    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        for work_ in [pool.submit(work) for _ in range(connections)]:
            work_.result()
    seconds = time.monotonic() - start
    memory = place.porc.memory()
    place.porc.end(signal.SIGKILL)
    place.start()
    caller, found, cursor = Caller(place), set(), ""
    while True:
        page = caller.call("GET", f"/runs?limit=200{cursor}")[1]
        found.update(run["run_id"] for run in page["runs"])
        if not page["next_cursor"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    return {
        "submits": count, "distinct_ids": len(set(answered)), "lost_after_sigkill": len(set(answered) - found),
        "seconds": round(seconds, 1), "memory_mb_before": round(memory, 1),
    }


def raw_terraform(times):
    found = []
    executable = shutil.which("terraform") or shutil.which("tofu")
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    environment.pop("TF_CLI_CONFIG_FILE", None)
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            open(os.path.join(folder, "main.tf"), "w").write(MODULE)
            json.dump({"text": "hello", "region": "eu-west"}, open(os.path.join(folder, "x.auto.tfvars.json"), "w"))
            start = time.monotonic()
            for step in [["init"], ["plan", "-out=plan"], ["apply", "plan"]]:
                subprocess.run([executable, step[0], "-input=false", "-no-color"] + step[1:], cwd=folder,
                               env=environment, check=True, stdout=subprocess.DEVNULL)
            found.append(time.monotonic() - start)
    return statistics.median(found) * 1000


def lifecycles(place, times):
    """Lifecycles one after the other, side by side with raw terraform."""
    caller = Caller(place)
    caller.deploy("warm")
    raw, whole, own = [], [], []
    for number in range(times):
        raw.append(raw_terraform(1))
        before, start = place.porc.cpu(), time.monotonic()
        caller.deploy(f"life-{number}")
        whole.append((time.monotonic() - start) * 1000)
        own.append((place.porc.cpu() - before) * 1000)
    return {
        "raw_terraform_ms": round(statistics.median(raw)), "lifecycle_ms": round(statistics.median(whole)),
        "ratio": round(statistics.median(whole) / statistics.median(raw), 2),
        # Clock ticks are 10 ms: the mean of many is what they can tell.
        "porc_cpu_ms": round(statistics.mean(own), 1),
    }


def health_while_planning(place, seconds):
    stop = threading.Event()

    def plan(number):
        caller = Caller(place)
        while not stop.is_set():
            caller.deploy(f"busy-{number}-{secrets.token_hex(4)}")

    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        working = [pool.submit(plan, number) for number in range(5)]
        time.sleep(1)
        figures = wrk(place, 4, seconds, lua(place, "/healthz"))
        stop.set()
        for work in working:
            work.result()
    return figures


def streams(place, count, events):
    """`count` streams of all events, while `events` are recorded: until the last one has read the last of them."""
    callers = []
    position = 0
    submitter = Caller(place)
    while True:
        page = submitter.call("GET", f"/events?limit=1000&after={position}")[1]
        if not page["events"]:
            break
        position = page["last_position"]
    last = position + events

    def read(connection):
        buffer = b""
        while True:
            chunk = connection.read1(1 << 16)
            if not chunk:
                raise EOFError
            buffer = (buffer + chunk)[-4096:]
            ids = re.findall(rb"id: (\d+)\nevent: ", buffer)
            if ids and int(ids[-1]) >= last:
                return time.monotonic()

    for _ in range(count):
        connection = http.client.HTTPConnection(place.address, timeout=60)
        connection.request("GET", f"/events?after={position}", headers={
            "Authorization": f"Bearer {place.secret}", "Accept": "text/event-stream"})
        callers.append(connection.getresponse())
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        reading = [pool.submit(read, answer) for answer in callers]
        start = time.monotonic()
        for number in range(events):
            submitter.call("POST", "/runs", blueprint(f"streamed-{number}"))
        written = time.monotonic()
        ends = [work.result() for work in reading]
    return {
        "streams": count, "events": events, "delivered_per_second": round(count * events / (max(ends) - start)),
        "last_reader_behind_ms": round((max(ends) - written) * 1000, 1),
    }


VARIABLE = '''variable "input_{0}" {{
  type        = {1}
  description = "What the input {0} is for."
  default     = {2}
}}
'''
TYPES = [("string", '"text"'), ("number", "3"), ("list(string)", '["a"]'),
         ("object({ size = string, nodes = optional(number, 3) })", '{ size = "small" }')]


class Repository:
    """A git repository of modules, NAME/VERSION/ on its branch."""

    def __init__(self, path):
        self.path = path
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
        subprocess.run(["git", "-C", path, "config", "uploadpack.allowFilter", "true"], check=True)

    def commit(self, modules):
        """Adds modules, (name, version) each, in one commit."""
        parent = subprocess.run(["git", "-C", self.path, "rev-parse", "-q", "--verify", "main"], capture_output=True,
                                text=True).stdout.strip()
        stream = "commit refs/heads/main\ncommitter b <b@example.com> 1700000000 +0000\ndata 0\n"
        if parent:
            stream += f"from {parent}\n"
        for name, version in modules:
            variables = "".join(VARIABLE.format(i, *TYPES[i % len(TYPES)]) for i in range(12))
            for file, text in [
                ("variables.tf", 'variable "region" { type = string }\n' + variables),
                ("main.tf", f'resource "terraform_data" "one" {{ input = "{name} {version} ${{var.region}}" }}\n'),
                ("outputs.tf", 'output "one" { value = terraform_data.one.output }\n'),
                ("README.md", f"# {name}\n\nThe module {name} in its version {version}.\n"),
            ]:
                stream += f"M 100644 inline {name}/{version}/{file}\ndata {len(text.encode())}\n{text}\n"
        subprocess.run(["git", "-C", self.path, "fast-import", "--quiet"], input=stream.encode(), check=True)


def wrong_templates(place, modules, versions):
    """How many templates Port does not show as the repository has them, property by property."""
    connection = http.client.HTTPConnection(place.port.ready["port"].replace("http://", ""), timeout=60)

    def ask(method, path, body=None, headers={}):
        connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json", **headers})
        return json.loads(connection.getresponse().read())

    token = ask("POST", "/v1/auth/access_token", {
        "clientId": "bench", "clientSecret": open(place.path("port-secret")).read().strip()})["accessToken"]
    shown = {entity["identifier"]: entity["properties"] for entity in ask(
        "GET", "/v1/blueprints/blueprint_template/entities", headers={"Authorization": f"Bearer {token}"})["entities"]}
    commit = subprocess.run(["git", "-C", place.path("modules.git"), "rev-parse", "main"], capture_output=True,
                            text=True).stdout.strip()
    wrong = abs(len(shown) - modules * versions)
    for m in range(modules):
        for v in range(versions):
            name, version = f"module-{m}", f"1.{v}.0"
            properties = shown.get(f"{name}-1-{v}-0", {})
            inputs = properties.pop("inputs", [])
            wrong += properties != {
                "module_path": f"{name}/{version}", "name": name, "version": version, "status": "active",
                "inputs_required": ["region"], "commit": commit, "repo_url": f"file://{place.path('modules')}/{name}",
                "readme": f"# {name}\n\nThe module {name} in its version {version}.\n",
            } or [one["name"] for one in inputs] != ["region"] + [f"input_{i}" for i in range(12)] or inputs[2] != {
                "name": "input_1", "type": "number", "description": "What the input 1 is for.", "default": 3,
                "required": False, "sensitive": False}
    return wrong


def catalog(binary, modules, versions):
    """A repository of `modules` with `versions` each, brought to Port: at first, with nothing new, with one new version."""
    with tempfile.TemporaryDirectory(prefix="porc-bench-") as folder:
        place = Place(folder, binary)
        repository = Repository(place.path("modules.git"))
        repository.commit([(f"module-{m}", f"1.{v}.0") for m in range(modules) for v in range(versions)])
        place.write("porc.yaml", f"sources:\n  platform:\n    git: {repository.path}\n")
        shutil.rmtree(place.path("templates"))
        try:
            place.start_sandboxes()
            start = time.monotonic()
            # No comparison falls into the measurement.
            place.start("--config", place.path("porc.yaml"), PORC_TEMPLATES="", PORC_RECONCILE_INTERVAL_SECONDS="3600",
                        PORC_CATALOG_INTERVAL_SECONDS="3600")
            place.token()
            caller = Caller(place)
            caller.until_portal_shows(modules * versions)
            figures = {
                "templates": modules * versions, "first_sync_s": round(time.monotonic() - start, 1),
                "first_port_requests": place.port_writes(), "peak_memory_mb": round(place.porc.peak_memory(), 1),
            }
            figures["wrong_in_port"] = wrong_templates(place, modules, versions)
            nothing = []
            for _ in range(5):
                start = time.monotonic()
                caller.call("POST", "/templates/sync")
                nothing.append((time.monotonic() - start) * 1000)
            figures["nothing_new_ms"] = round(statistics.median(nothing), 1)
            figures["nothing_new_port_requests"] = place.port_writes() - figures["first_port_requests"]
            before = place.port_writes()
            repository.commit([("module-1", "2.0.0")])
            start = time.monotonic()
            caller.call("POST", "/templates/sync")
            caller.until_portal_shows(modules * versions + 1)
            figures["one_new_ms"] = round((time.monotonic() - start) * 1000)
            figures["one_new_port_requests"] = place.port_writes() - before
            return figures
        finally:
            place.stop()


class Fleet:
    """Instances that go through plan and apply at once, against a Terraform Enterprise that answers at once."""

    def __init__(self, place, count):
        self.place, self.count = place, count
        self.at_once, self.runs, self.finished, self.planned = False, {}, {}, queue.Queue()
        self.done = threading.Event()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        """Every plan that is finished is applied; every apply that is finished is counted."""
        connection = http.client.HTTPConnection(self.place.address)
        connection.request(
            "GET", "/events", headers={"Authorization": f"Bearer {self.place.secret}", "Accept": "text/event-stream"})
        stream, name = connection.getresponse(), None
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            while line := stream.readline().decode():
                if line.startswith("event: "):
                    name = line[7:].strip()
                elif line.startswith("data: ") and name == "plan_finished" and not self.at_once:
                    self.planned.put(json.loads(line[6:])["run_id"])
                elif line.startswith("data: ") and name == "apply_finished":
                    self.finished[json.loads(line[6:])["run_id"]] = time.monotonic()
                    if len(self.finished) == self.count:
                        self.done.set()

    def go(self, at_once):
        """Submits, plans and applies all of them, and waits for the last. With `at_once`, one command does both."""
        self.at_once, self.runs, self.finished = at_once, {}, {}
        self.done.clear()
        numbers = iter(range(self.count))
        lock = threading.Lock()

        def submit():
            caller = Caller(self.place)
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                run = caller.call("POST", "/runs", blueprint(f"fleet-{number}"))[1]["run_id"]
                self.runs[run] = time.monotonic()
                status, body = caller.call("POST", f"/runs/{run}/plan", {"apply": True} if at_once else {})
                assert status == 202, body

        def apply():
            caller = Caller(self.place)
            while not self.done.is_set():
                with contextlib.suppress(queue.Empty):
                    run = self.planned.get(timeout=0.1)
                    status, body = caller.call("POST", f"/runs/{run}/apply")
                    assert status == 202, body

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for work in [pool.submit(submit) for _ in range(8)] + [pool.submit(apply) for _ in range(8)]:
                work.result()
        self.done.wait()

    def measure(self, at_once):
        tfe = http.client.HTTPConnection(self.place.tfe.ready["tfe"].removeprefix("http://"))

        def ask(path):
            tfe.request("GET", path)
            return json.loads(tfe.getresponse().read())

        ask("/reset")
        before, start = self.place.porc.cpu(), time.monotonic()
        self.go(at_once)
        seconds, cpu = time.monotonic() - start, self.place.porc.cpu() - before
        told = ask("/statistics")
        return {
            "calls_per_lifecycle": round(told["calls"] / self.count, 2), "seconds": round(seconds, 2),
            "ms_per_lifecycle": round(seconds / self.count * 1000, 1),
            "porc_cpu_ms_per_lifecycle": round(cpu / self.count * 1000, 1),
            "longest_s": round(max(end - self.runs[run] for run, end in self.finished.items()), 2),
            "calls_a_second": round(told["calls"] / seconds, 1), "busiest_second": told["busiest_second"],
            "answers_429": told["refused"], "memory_mb": round(self.place.porc.memory(), 1), "by_call": told["by_call"],
        }


def fleet(binary, count, rate, at_once, details):
    """Of instances whose workspaces exist: the second lifecycle of each is measured."""
    with tempfile.TemporaryDirectory(prefix="porc-bench-") as folder:
        place = Place(folder, binary)
        try:
            place.start_instant_tfe(rate)
            place.start(TFE_MAXIMUM_RUNS="10000", **({} if rate else {"TFE_CALLS_PER_SECOND": "0"}))
            place.token()
            fleet = Fleet(place, count)
            fleet.go(at_once=True)
            figures = fleet.measure(at_once)
            by_call = figures.pop("by_call")
            if details:
                for name, number in sorted(by_call.items(), key=lambda item: -item[1]):
                    print(f"    {number:6} {name}")
            return figures
        finally:
            place.stop()


class Control:
    """What an instant server is told besides its API."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)

    def __call__(self, path):
        self.connection.request("GET", path)
        return json.loads(self.connection.getresponse().read())


def portal(binary, count, rate, delay):
    """How long after TFE has reported a state Port has it; and how soon Port is right after it was away."""
    with tempfile.TemporaryDirectory(prefix="porc-bench-") as folder:
        place = Place(folder, binary)
        try:
            place.start_instant_tfe(0, with_port=False)
            place.start_instant_port(delay)
            place.start(TFE_MAXIMUM_RUNS="10000", TFE_CALLS_PER_SECOND="0", PORC_RECONCILE_INTERVAL_SECONDS="3600")
            place.token()
            port, tfe, caller = Control(place.port.ready["port"]), Control(place.tfe.ready["tfe"]), Caller(place)

            def plan(first):
                caller, runs = Caller(place), []
                for number in range(first, count, 8):
                    runs.append(caller.call("POST", "/runs", blueprint(f"portal-{number}"))[1]["run_id"])
                    caller.call("POST", f"/runs/{runs[-1]}/plan")
                for run in runs:
                    caller.until(run, "planned")

            def plan_all():
                with concurrent.futures.ThreadPoolExecutor(8) as pool:
                    for work in [pool.submit(plan, first) for first in range(8)]:
                        work.result()

            def seen(status):
                return {key.split()[0]: at for key, at in port("/statistics")["seen"].items()
                        if key.endswith(f" {status}")}

            def wait_for(status):
                while len(found := seen(status)) < count:
                    time.sleep(0.2)
                return found

            plan_all()
            wait_for("planned")
            while caller.metric("porc_portal_behind"):
                time.sleep(0.05)
            port("/reset")
            used = place.porc.cpu()
            tfe(f"/apply-outside/{rate}")
            shown, used = wait_for("applied"), place.porc.cpu() - used
            caller = Caller(place)  # the connection of before was idle for so long that it is closed
            while caller.metric("porc_portal_behind"):
                time.sleep(0.01)
            writes, reported = port("/statistics")["writes"], tfe("/applied-at")
            lags = sorted((shown[run] - at) * 1000 for run, at in reported.items())
            assert len(lags) == count
            port("/leave")
            plan_all()
            recorded = None
            while recorded != (recorded := caller.metric("porc_events_total")):
                time.sleep(1)  # what is said of a plan once it is there
            port("/reset")
            start = time.monotonic()
            port("/return")
            while caller.metric("porc_portal_behind"):
                time.sleep(0.01)
            right, told = time.monotonic() - start, port("/statistics")
            return {
                "median_ms": round(statistics.median(lags), 1), "p99_ms": round(lags[int(len(lags) * 0.99) - 1], 1),
                "max_ms": round(lags[-1], 1), "requests_per_change": round(writes / count, 2),
                "porc_cpu_ms_per_change": round(used / count * 1000, 1), "memory_mb": round(place.porc.memory(), 1),
                "right_after_outage_s": round(right, 2), "outage_changes_per_write": round(count / told["writes"], 1),
                "most_writes_of_an_entity": told["most_writes"],
            }
        finally:
            place.stop()


def backstage(binary, count):
    """Backstage's feed of `count` instances: the first answer, one with nothing new, and one after a change."""
    with tempfile.TemporaryDirectory(prefix="porc-bench-") as folder:
        place = Place(folder, binary)
        try:
            place.start_sandboxes()
            place.start()
            place.token()
            numbers, lock = iter(range(count)), threading.Lock()

            def submit():
                caller = Caller(place)
                while True:
                    with lock:
                        number = next(numbers, None)
                    if number is None:
                        return
                    assert caller.call("POST", "/runs", blueprint(f"shown-{number}"))[0] == 201

            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                for work in [pool.submit(submit) for _ in range(16)]:
                    work.result()
            caller = Caller(place)
            caller.until_portal_shows(1)
            # A server that has just started has nothing in memory.
            place.porc.end()
            place.start()
            caller = Caller(place)
            caller.until_portal_shows(1)
            before = place.porc.memory()

            def poll(tag=None):
                cpu, start = place.porc.cpu(), time.monotonic()
                caller.connection.request("GET", "/backstage/catalog-info.yaml", headers={
                    **caller.headers, **({"If-None-Match": tag} if tag else {})})
                answer = caller.connection.getresponse()
                size = len(answer.read())
                return ((time.monotonic() - start) * 1000, (place.porc.cpu() - cpu) * 1000, answer.status, size,
                        answer.headers["ETag"])

            first = poll()
            tag = first[4]
            whole = [poll() for _ in range(5)]
            changed = []
            for number in range(5):
                caller.call("POST", "/runs", blueprint(f"new-{number}"))
                changed.append(poll(tag))
                tag = changed[-1][4]
            assert first[2] == 200 and {poll[2] for poll in whole + changed} == {200}
            script = lua(place, "/backstage/catalog-info.yaml") + (
                f"wrk.headers[\"If-None-Match\"] = '{tag}'\n")
            same = wrk(place, 4, 3, script)
            return {
                "instances": count, "megabytes": round(first[3] / 1e6, 2), "first_ms": round(first[0], 1),
                "first_cpu_ms": round(first[1]), "again_whole_ms": round(statistics.median(p[0] for p in whole), 1),
                "after_one_change_ms": round(statistics.median(p[0] for p in changed), 1),
                "unchanged_304_median_ms": same["median_ms"], "unchanged_304_p99_ms": same["p99_ms"],
                "unchanged_304_per_second": same["per_second"],
                "unchanged_304_cpu_us": same["cpu_us_per_request"],
                "memory_mb_before": round(before, 1), "memory_mb": round(place.porc.memory(), 1),
            }
        finally:
            place.stop()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = int(open("/proc/meminfo").readline().split()[1]) // 1024
    return {"cpu": model, "cores": os.cpu_count(), "memory_mb": memory, "kernel": platform.release()}


def idle(place, seconds):
    memory, used = place.porc.memory(), place.porc.cpu()
    time.sleep(seconds)
    return {"idle_mb": round(memory, 1), "idle_cpu_percent": round((place.porc.cpu() - used) / seconds * 100, 1)}


SECTIONS = ["cold-start", "memory", "lifecycle", "healthz", "status", "events", "submit", "many", "catalog", "tfe", "portal",
            "backstage"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build-release/release/porc"))
    parser.add_argument("--json", help="a file for the figures")
    parser.add_argument("--seconds", type=int, default=5, help="of each load")
    parser.add_argument("--submits", type=int, default=50_000, help="of the section 'many'")
    parser.add_argument("--modules", type=int, default=1000, help="of the section 'catalog', with 10 versions each")
    parser.add_argument("--only", help=f"some of the sections, with ',' between them: {', '.join(SECTIONS)}")
    parser.add_argument("--details", action="store_true", help="of the section 'tfe', which calls were made")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else SECTIONS
    if unknown := [name for name in wanted if name not in SECTIONS]:
        parser.error(f"there is no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    for names in [["wrk"], ["terraform", "tofu"]]:
        if not any(map(shutil.which, names)):
            parser.error(f"{' or '.join(names)} is not on the PATH")
    report = {"machine": machine(), "sections": {}}
    print("  ".join(f"{key}: {value}" for key, value in report["machine"].items()), flush=True)
    folder = tempfile.mkdtemp(prefix="porc-bench-")
    place = Place(folder, options.binary)

    def section(name, work, case=""):
        if name not in wanted:
            return
        figures = work()
        report["sections"].setdefault(name, []).append({"case": case, **figures} if case else figures)
        print(f"\n{name}{', ' + case if case else ''}")
        for key, value in figures.items():
            print(f"  {key:24}{value:>12,}", flush=True)

    try:
        place.start_sandboxes()
        place.start()
        place.token()
        place.porc.end()
        section("cold-start", lambda: cold_start(place, 11))
        place.start()
        time.sleep(3)
        section("memory", lambda: idle(place, options.seconds))
        section("lifecycle", lambda: lifecycles(place, 20))
        section("healthz", lambda: health_while_planning(place, options.seconds))
        if "status" in wanted:
            run = Caller(place).call("POST", "/runs", blueprint("read"))[1]["run_id"]
        for connections in [1, 16, 64]:
            section("status", lambda: wrk(place, connections, options.seconds, lua(place, f"/runs/{run}/status")),
                    f"{connections} connections")
        section("events", lambda: streams(place, 100, 500))
        for connections in [1, 16, 64]:
            section("submit", lambda: wrk(
                place, connections, options.seconds, submit_script(place, f"load-{connections}")),
                f"{connections} connections")
        section("many", lambda: many_submits(place, options.submits, 64))
        section("catalog", lambda: catalog(options.binary, options.modules, 10))
        for count, rate, at_once in [(1, 0, False), (1, 0, True), (100, 0, False), (100, 0, True), (1000, 0, False),
                                     (1000, 0, True), (100, 30, False)]:
            section("tfe", lambda: fleet(options.binary, count, rate, at_once, options.details),
                    f"{count} instances, {'plan and apply in one' if at_once else 'plan, then apply'}"
                    + (f", {rate} calls a second" if rate else ""))
        for count in [100, 1000, 5000]:
            section("portal", lambda: portal(options.binary, count, 50, 10),
                    f"{count} instances, 50 changes a second, Port answers in 10 ms")
        for count in [1000, 10_000]:
            section("backstage", lambda: backstage(options.binary, count), f"{count:,} instances")
    finally:
        place.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report, file, indent=2)


if __name__ == "__main__":
    main()

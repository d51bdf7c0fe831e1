#!/usr/bin/env python3
"""Runs clients that we did not write against the simulated org and prints what they found.

Needs Node 20 or newer with npm, Python 3.11 or newer with venv, and the built binary. Clients
are installed once into target/clients/ with the versions of the lock files. A missing tool is
a failure that says what to install: nothing is skipped. The exit code is 0 only when every
check of every client passed.
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = ROOT / "target" / "clients"
NODE = CACHE / "node"
CLI = CACHE / "cli"
VENV = CACHE / "python"
PROTO = ROOT / "src" / "salesforce" / "pubsub" / "pubsub_api.proto"
GENERATED = CACHE / "generated"
# Short enough to wait for; a real org sends one every two to four and a half minutes.
SETTINGS = {"keepalive-seconds": 3, "daily-api-requests": 100_000, "daily-event-deliveries": 100_000}
CLIENT_SECONDS = 420

# client, TLS, script
CLIENTS = [
    ("jsforce", False, "jsforce.mjs"),
    ("jsforce over TLS", True, "jsforce.mjs"),
    ("simple-salesforce", True, "simple_salesforce_client.py"),
    ("Node Pub/Sub client", True, "pubsub.mjs"),
    ("Python gRPC subscriber", False, "grpc_subscriber.py"),
    ("Python gRPC subscriber over TLS", True, "grpc_subscriber.py"),
    ("jsforce deploys", False, "jsforce_deploy.mjs"),
    ("Salesforce CLI", False, "sf_cli.mjs"),
]
# These bring the package themselves.
BARE = {"jsforce_deploy.mjs", "sf_cli.mjs"}


class Missing(Exception):
    """A tool or a file that the run needs."""


def tool(name, package):
    path = shutil.which(name)
    if path is None:
        raise Missing(f"`{name}` is not installed; on Debian: apt-get install {package}")
    return path


def call(command, **more):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if result.returncode != 0:
        raise Missing(f"{' '.join(map(str, command))} failed:\n{result.stdout[-3000:]}")
    return result.stdout


def stamped(folder, *contents):
    """Whether a folder was made from these contents; the second value marks it so."""
    digest = hashlib.sha256(b"\0".join(contents)).hexdigest()
    stamp = folder / ".stamp"
    fresh = stamp.is_file() and stamp.read_text() == digest
    return fresh, lambda: stamp.write_text(digest)


def install_node():
    node, npm = tool("node", "nodejs"), tool("npm", "npm")
    version = call([node, "--version"]).strip()
    if int(version.lstrip("v").split(".")[0]) < 20:
        raise Missing(f"node {version} is too old; install Node 20 or newer")
    lock = (HERE / "package-lock.json").read_bytes()
    fresh, mark = stamped(NODE, (HERE / "package.json").read_bytes(), lock, version.encode())
    if not fresh:
        shutil.rmtree(NODE, ignore_errors=True)
        NODE.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, NODE)
        call([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=NODE)
        mark()
    # Modules are looked up beside the script that imports them.
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, NODE)
    return node


def install_cli():
    """The Salesforce CLI with a Node of its own: it needs a newer one than the other clients."""
    lock = (HERE / "cli" / "package-lock.json").read_bytes()
    fresh, mark = stamped(CLI, (HERE / "cli" / "package.json").read_bytes(), lock)
    if not fresh:
        shutil.rmtree(CLI, ignore_errors=True)
        CLI.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "cli" / name, CLI)
        call([tool("npm", "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=CLI)
        mark()
    nodes = sorted((CLI / "node_modules").glob("node-linux-*/bin/node"))
    if not nodes:
        raise Missing("npm brought no Node 22 for this machine: the Salesforce CLI is judged on Linux, x64 or arm64")
    return nodes[0]


def install_python():
    wanted = (HERE / "requirements.txt").read_bytes()
    fresh, mark = stamped(VENV, wanted, sys.version.encode())
    python = VENV / "bin" / "python"
    if not fresh:
        shutil.rmtree(VENV, ignore_errors=True)
        try:
            call([sys.executable, "-m", "venv", VENV])
        except Missing as error:
            raise Missing(f"{error}\non Debian: apt-get install python3-venv") from error
        call([python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"])
        mark()
    return python


def generate(python):
    """Code from the proto that the Node client ships: Salesforce's own, not ours."""
    official = NODE / "node_modules" / "salesforce-pubsub-api-client" / "pubsub_api.proto"
    shutil.rmtree(GENERATED, ignore_errors=True)
    GENERATED.mkdir(parents=True)
    base = [python, "-m", "grpc_tools.protoc"]
    outputs = [f"--python_out={GENERATED}", f"--grpc_python_out={GENERATED}"]
    call([*base, f"-I{official.parent}", *outputs, f"--descriptor_set_out={GENERATED}/official.bin", official])
    call([*base, f"-I{PROTO.parent}", f"--descriptor_set_out={GENERATED}/ours.bin", PROTO])


class Org:
    """A simulated org in a process of its own."""

    def __init__(self, binary, tls, folder, bare=False):
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / "settings.json"
        settings.write_text(json.dumps(SETTINGS))
        self.log = open(folder / "org.log", "wb")
        command = [binary, "org", "--json", "--settings", settings]
        command += ["--bare"] if bare else ["--seed", "demo"]
        self.process = subprocess.Popen(
            command + (["--tls"] if tls else []),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        line = self._first_line()
        self.facts = json.loads(line)
        self.file = folder / "org.json"
        self.file.write_text(line)

    def _first_line(self, seconds=60):
        lines = []
        reader = threading.Thread(target=lambda: lines.append(self.process.stdout.readline()), daemon=True)
        reader.start()
        reader.join(seconds)
        if lines and not lines[0].strip():
            self.process.wait(5)
        if not lines or not lines[0].strip():
            ended = self.process.poll()
            self.process.kill()
            self.log.close()
            log = pathlib.Path(self.log.name).read_text(errors="replace")[-2000:]
            how = f"within {seconds} s" if ended is None else f"and ended with exit code {ended}"
            raise Missing(f"`countersign org` printed no JSON line {how}:\n{log}")
        return lines[0]

    def stop(self):
        """The exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "none: it had to be killed"
        finally:
            self.log.close()


def client_command(script, tools, org):
    if script.endswith(".mjs"):
        return [tools["node"], NODE / script, org.file]
    return [tools["python"], HERE / script, org.file, GENERATED]


def run_client(script, tools, org, log):
    """The rows of one client: (check, result, detail)."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    for name in ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy"):
        environment.pop(name, None)
        environment.pop(name.upper(), None)
    if script == "sf_cli.mjs":
        environment |= {
            "CLI_NODE": str(tools["cli"]),
            "CLI_RUN": str(CLI / "node_modules" / "@salesforce" / "cli" / "bin" / "run.js"),
            "CLI_FOLDER": str(log.parent),
            "PACKAGE": str(ROOT / "salesforce-metadata"),
        }
    if "ca_pem_path" in org.facts:
        environment["NODE_EXTRA_CA_CERTS"] = org.facts["ca_pem_path"]
    with open(log, "w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            client_command(script, tools, org), stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        )
        timer = threading.Timer(CLIENT_SECONDS, process.kill)
        timer.start()
        plan, rows = [], []
        for line in process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if "plan" in said:
                plan = said["plan"]
            elif "check" in said:
                result = "passed" if said["ok"] else "FAILED"
                rows.append((said["check"], result, said.get("detail", "")))
        code = process.wait()
        timer.cancel()
    ran = {check for check, _, _ in rows}
    rows += [(check, "SKIPPED", "the client ended before it") for check in plan if check not in ran]
    if not plan or code != 0:
        detail = f"exit code {code}\n{pathlib.Path(log).read_text(errors='replace')[-2000:]}"
        rows.append(("runs to its end", "FAILED", detail))
    return rows


def judge(name, tls, script, tools):
    folder = CACHE / "runs" / name.replace("/", "-").replace(" ", "-").lower()
    shutil.rmtree(folder, ignore_errors=True)
    started = time.monotonic()
    try:
        org = Org(tools["binary"], tls, folder, script in BARE)
    except Missing as error:
        return [("the org starts", "FAILED", str(error))]
    try:
        rows = run_client(script, tools, org, folder / "client.log")
    finally:
        code = org.stop()
    rows.append(("the org stops when told", "passed" if code == 0 else "FAILED", f"exit code {code}"))
    print(f"# {name}: {time.monotonic() - started:.1f} s", flush=True)
    return rows


def table(results):
    width = max(len(name) for name, _ in results)
    longest = max(len(check) for _, rows in results for check, _, _ in rows)
    print(f"\n{'client':<{width}} | {'check':<{longest}} | result")
    for name, rows in results:
        for check, result, _ in rows:
            print(f"{name:<{width}} | {check:<{longest}} | {result}")
    for name, rows in results:
        for check, result, detail in rows:
            if result != "passed":
                print(f"\n{result}: {name}: {check}\n{detail}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "target" / "debug" / "countersign"
    parser.add_argument("--binary", type=pathlib.Path, default=default, help="the built countersign")
    parser.add_argument("--only", help="run the clients whose name contains this text")
    arguments = parser.parse_args()
    try:
        if not arguments.binary.is_file():
            raise Missing(f"{arguments.binary} does not exist; build it with: cargo build")
        tools = {"binary": arguments.binary.resolve(), "node": install_node(), "python": install_python()}
        generate(tools["python"])
        tools["cli"] = install_cli()
    except Missing as error:
        print(f"FAILED: {error}\n\n0 passed, 1 failed, 0 skipped")
        return 1
    chosen = [one for one in CLIENTS if not arguments.only or arguments.only.lower() in one[0].lower()]
    results = [(name, judge(name, tls, script, tools)) for name, tls, script in chosen]
    table(results)
    found = [result for _, rows in results for _, result, _ in rows]
    passed, failed, skipped = (found.count(kind) for kind in ("passed", "FAILED", "SKIPPED"))
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if passed and not failed and not skipped else 1


if __name__ == "__main__":
    sys.exit(main())

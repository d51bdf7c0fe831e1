"""The processes of the demo with two replicas: PostgreSQL, the simulated org, `countersign serve`."""

import base64
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

VERSION = "v67.0"


class Database:
    """A PostgreSQL server of its own, on a unix socket in a private folder, gone with the demo."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="countersign-demo-pg-"))
        if os.getuid() == 0:
            # PostgreSQL refuses to run as root.
            shutil.chown(self.folder, "postgres")
            self.folder.chmod(0o711)
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-A", "trust", "-U", "countersign", "-E", "UTF8", "--locale=C")
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c fsync=off"
        self._run("pg_ctl", "-D", data, "-l", self.folder / "log", "-o", options, "-w", "start")
        self._run("createdb", "-h", self.folder, "-U", "countersign", "ledgers")
        self.url = f"postgres://countersign@localhost/ledgers?host={self.folder}"

    def _run(self, program, *words):
        command = [str(_postgres_folder() / program), *map(str, words)]
        if os.getuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise SystemExit(f"{program} failed: {done.stdout}")

    def stop(self):
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


def _postgres_folder():
    """Debian keeps the programs of each version in a folder of its own."""
    versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    folders = versions + ([pathlib.Path(found).parent] if found else [])
    usable = [folder for folder in folders if (folder / "initdb").exists()]
    if not usable:
        raise SystemExit("PostgreSQL is not installed: tests/run.sh installs it, or name one with --database URL")
    return usable[0]


class Org:
    """The simulated org, and calls to it as one of its users."""

    def __init__(self, binary):
        self.process = subprocess.Popen([binary, "org", "--json"], stdout=subprocess.PIPE, text=True)
        self.facts = json.loads(self.process.stdout.readline())

    def call(self, role, method, path, body=None):
        request = urllib.request.Request(
            f"{self.facts['instance_url']}/services/data/{VERSION}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.facts['users'][role]['access_token']}",
                     "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)

    def save(self, role, method, rows):
        """Makes or changes leads, 200 at once; each must succeed. Their ids."""
        ids = []
        for at in range(0, len(rows), 200):
            records = [{"attributes": {"type": "Lead"}, **row} for row in rows[at:at + 200]]
            results = self.call(role, method, "/composite/sobjects", {"allOrNone": False, "records": records})
            refused = [result for result in results if not result["success"]]
            if refused:
                raise SystemExit(f"the org refused the load: {refused[0]}")
            ids += [result["id"] for result in results]
        return ids

    def query(self, soql):
        page = self.call("admin", "GET", "/query?" + urllib.parse.urlencode({"q": soql}))
        rows = page["records"]
        while not page["done"]:
            page = self.call("admin", "GET", page["nextRecordsUrl"].split(VERSION, 1)[1])
            rows += page["records"]
        return rows

    def settings(self, ledger):
        """Settings for a replica, as text."""
        login = "".join(
            f'[{role}]\nkind = "jwt"\nclient_id = "{self.facts["oauth"]["client_id"]}"\n'
            f'username = "{self.facts["users"][role]["username"]}"\n'
            f'private_key_path = "{self.facts["oauth"]["jwt_key_pem_path"]}"\n'
            for role in ("promoter", "proposer"))
        url = self.facts["instance_url"]
        return (f'[org]\nlogin_url = "{url}"\ninstance_url = "{url}"\n'
                f'pubsub_endpoint = "http://{self.facts["pubsub_endpoint"]}"\n{login}'
                f'[ledger]\npath = "{ledger}"\nlease_seconds = 3\n')

    def stop(self):
        self.process.kill()
        self.process.wait()


class Console:
    """The password of the consoles, in a file as the settings want it."""

    def __init__(self, folder, password):
        self.password, self.file = password, folder / "console-password"
        self.file.touch(mode=0o600)
        self.file.write_text(password + "\n")
        both = base64.b64encode(f"demo:{password}".encode()).decode()
        self.headers = {"Authorization": f"Basic {both}"}

    def settings(self):
        """The part of the settings that switches it on."""
        return f'[http]\nconsole_password_file = "{self.file}"\n'

    def counters(self, address):
        """The counters of the overview by name; none while it does not answer, or has no ledger to read."""
        request = urllib.request.Request(f"http://{address}/console", headers=self.headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                page = reply.read().decode()
        except (OSError, ValueError):
            return {}
        return {name: int(value) for name, value in re.findall(r'data-counter="([a-z-]+)">(\d+)<', page)}


def is_free(port):
    """Whether nobody listens there."""
    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Replica:
    """`countersign serve`, which may be killed and started again."""

    def __init__(self, name, binary, folder, port=0):
        self.name, self.binary, self.folder, self.port = name, binary, folder, port
        self.starts, self.kills = 0, 0
        self.process, self.log = None, None
        self.start()

    def start(self):
        self.starts += 1
        self.log = self.folder / f"replica-{self.name}-{self.starts}.log"
        command = [self.binary, "serve", "--config", str(self.folder / "countersign.toml"),
                   "--http", f"127.0.0.1:{self.port}"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)

    def is_running(self):
        return self.process.poll() is None

    def address(self):
        """Where it listens; nothing before it has said so."""
        _, found, rest = self.log.read_text(errors="replace").partition("address=")
        return rest.split()[0] if found and rest.split() else None

    def stands(self):
        """What it says it is at: serving, standby, or another word."""
        if not self.is_running():
            return "down"
        address = self.address()
        if not address:
            return "starting"
        try:
            with urllib.request.urlopen(f"http://{address}/readyz", timeout=1) as reply:
                return json.load(reply)["status"]
        except urllib.error.HTTPError as refused:
            return json.load(refused)["status"]
        except (OSError, ValueError):
            return "no answer"

    def kill(self):
        """SIGKILL: nothing is said, nothing is saved."""
        self.process.kill()
        self.process.wait()
        self.kills += 1

    def end(self):
        """Asks it to stop: its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

#!/usr/bin/env python3
"""Runs `deploy/countersign.service` as it is, under a systemd of its own, against the simulated org.

    cargo build
    sudo python3 tests/scripts/systemd_unit.py [BINARY]

The systemd is process 1 of namespaces of its own, with folders for /etc, /var/lib, /run and /tmp that
go with it: nothing of this machine's own systemd or files is touched. The network is shared, for the org.
The unit starts, promotes what a person approved, is started again after SIGKILL, stops when told, and its
ledger verifies. Ends with 1 when something else happens, with 2 where it cannot run."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from processes import Org

ROOT = pathlib.Path(__file__).resolve().parents[2]
SYSTEMD = pathlib.Path("/lib/systemd/systemd")
NEEDED = ["unshare", "nsenter", "mount", "bash"]
UNIT = "countersign.service"
# Seconds for each step.
WITHIN = 60

BOOT = """
set -e
# As the managers of containers do: credentials reach the unit by mounts that spread.
mount --make-rshared /
mount -t proc proc /proc
umount -l /sys/fs/cgroup
for folder in run tmp; do mount -t tmpfs tmpfs /$folder; done
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /run/lock /run/systemd/system
for folder in etc var/lib; do
  mkdir -p /run/over/$folder /run/work/$folder
  mount -t overlay overlay -o lowerdir=/$folder,upperdir=/run/over/$folder,workdir=/run/work/$folder /$folder
done
mount --bind "$FOLDER/bin" /usr/local/bin
cp -r "$FOLDER/etc" /etc/countersign
cp "$FOLDER/countersign.service" /run/systemd/system/
printf '[Unit]\\nDescription=nothing but what is started by hand\\nDefaultDependencies=no\\n' \\
  > /run/systemd/system/alone.target
export container=other
exec /lib/systemd/systemd --system --unit=alone.target
"""


def refuse(why):
    print(f"cannot run here: {why}", file=sys.stderr)
    sys.exit(2)


def cgroup():
    """A new group of the unified hierarchy, so that this systemd sees nothing above it."""
    base = pathlib.Path("/sys/fs/cgroup")
    base = base if (base / "cgroup.controllers").exists() else base / "unified"
    if not (base / "cgroup.procs").exists():
        refuse("there is no unified cgroup hierarchy")
    group = base / f"countersign-unit-{os.getpid()}"
    group.mkdir()
    return group


class Machine:
    """The systemd and its namespaces."""

    def __init__(self, folder):
        self.group = cgroup()
        joins = self.group / "cgroup.procs"
        command = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child",
                   "--propagation", "private", "bash", "-c", BOOT]
        self.process = subprocess.Popen(command, env={**os.environ, "FOLDER": str(folder)},
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        preexec_fn=lambda: joins.write_text(str(os.getpid())))
        self.first = None

    def boot(self):
        """Waits for its first process, and until that answers."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        until("a systemd", lambda: children.read_text().strip() or self.process.poll() is not None)
        if self.process.poll() is not None:
            fail("the namespaces could not be made; what stands above says why")
        self.first = children.read_text().split()[0]
        until("systemd answers", lambda: self.run("systemctl", "show", "--property", "Version").returncode == 0)

    def run(self, *words):
        inside = ["nsenter", "--target", self.first, "--mount", "--pid", "--ipc", "--uts", "--cgroup", *words]
        return subprocess.run(inside, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=WITHIN, check=False)

    def unit(self, *words):
        done = self.run("systemctl", *words, UNIT)
        if done.returncode:
            fail(f"systemctl {' '.join(words)}: {done.stdout}")

    def shows(self, name):
        return self.run("systemctl", "show", UNIT, "--value", "--property", name).stdout.strip()

    def journal(self):
        return self.run("journalctl", "--unit", UNIT, "--no-pager", "--lines", "20").stdout

    def end(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        # What is killed with the first process of its namespace is gone a moment later.
        until("the end of the systemd", lambda: "populated 0" in (self.group / "cgroup.events").read_text())
        groups = sorted(self.group.glob("**/"), key=lambda group: len(group.parts), reverse=True)
        for group in groups:
            group.rmdir()


def fail(what):
    raise SystemExit(f"FAILED: {what}")


def until(what, holds):
    end = time.monotonic() + WITHIN
    while not holds():
        if time.monotonic() > end:
            fail(f"{what} did not happen in {WITHIN} seconds")
        time.sleep(0.1)


def settings(org, folder, port):
    keys = folder / "etc" / "keys"
    keys.mkdir(parents=True)
    given = org.facts["oauth"]["jwt_key_pem_path"]
    text = org.settings("/var/lib/countersign/ledger.db") + f'[http]\nlisten = "127.0.0.1:{port}"\n'
    for role in ("promoter", "proposer"):
        shutil.copy(given, keys / f"{role}.pem")
        text = text.replace(given, f"/run/credentials/{UNIT}/{role}.pem", 1)
    (folder / "etc" / "countersign.toml").write_text(text)


def is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False


def promoted(org, name):
    """A lead whose status an agent proposes and a person approves; waits for the change."""
    first, proposed = "Open - Not Contacted", "Working - Contacted"
    lead = {"attributes": {"type": "Lead"}, "LastName": "Example", "Company": "Unit Example", "Status": first}
    (lead_id,) = org.save("admin", "POST", [lead])
    row = {"attributes": {"type": "Lead"}, "id": lead_id, "AI_Gate_Pending__c": True}
    proposal = {"AI_Proposal_ID__c": name, "AI_Recommended_Status__c": proposed, "AI_Status_Confidence__c": 0.8}
    org.save("proposer", "PATCH", [{**row, **proposal}])
    decision = {"AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": name}
    org.save("reviewer", "PATCH", [{**row, **decision}])
    soql = f"SELECT Status FROM Lead WHERE Id = '{lead_id}'"
    until(f"the promotion of {name}", lambda: org.query(soql)[0]["Status"] == proposed)
    print(f"promoted: {name}")


def check(machine, org, port):
    machine.unit("start")
    until("the unit is ready", lambda: is_ready(port))
    user = machine.shows("UID")
    if user in ("", "0", "[not set]"):
        fail(f"it runs as user {user}")
    print(f"started as user {user}")
    promoted(org, "unit:first")
    machine.unit("kill", "--signal=KILL")
    until("a start after SIGKILL", lambda: machine.shows("NRestarts") == "1" and is_ready(port))
    print("started again after SIGKILL")
    promoted(org, "unit:second")
    began = time.monotonic()
    machine.unit("stop")
    if machine.shows("Result") != "success":
        fail(f"it was told to stop: {machine.shows('Result')}")
    print(f"stopped when told, in {time.monotonic() - began:.1f} s")
    done = machine.run("/usr/local/bin/countersign", "verify", "--ledger", "/var/lib/countersign/ledger.db")
    if done.returncode:
        fail(f"verify: {done.stdout}")
    print("the ledger verifies")


def main():
    binary = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/debug/countersign").resolve()
    missing = [name for name in NEEDED if not shutil.which(name)]
    missing += [str(path) for path in [SYSTEMD, binary] if not path.exists()]
    if missing:
        refuse(f"missing: {', '.join(missing)}")
    if os.getuid() != 0:
        refuse("only root may make such namespaces")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    org, machine = Org(str(binary)), None
    # Not below /tmp, which the new systemd has to itself.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="countersign-unit-", dir="/dev/shm"))
    try:
        settings(org, folder, port)
        (folder / "bin").mkdir()
        shutil.copy(binary, folder / "bin" / "countersign")
        shutil.copy(ROOT / "deploy" / UNIT, folder)
        machine = Machine(folder)
        machine.boot()
        check(machine, org, port)
    except SystemExit:
        if machine and machine.first:
            print(machine.journal(), file=sys.stderr)
        raise
    finally:
        if machine:
            machine.end()
        org.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

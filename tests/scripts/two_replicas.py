"""Two replicas by one PostgreSQL, under load, one of them killed every few seconds, while you watch.

    cargo build
    python3 tests/scripts/two_replicas.py
    python3 tests/scripts/two_replicas.py --seconds 300 --kill-every 4 --per-second 50

Starts PostgreSQL, the simulated org and two `countersign serve`. Agents propose, people approve, reject
or look away. SIGKILL takes the leader two times of three, else the one that stands by. The counters
come from the org and from what was sent, not from the ledger. Beside them stands what the consoles say,
which are printed to be watched in a browser. Ends with 1 when a counter that must be 0 is not, when a
console says another number, when the ledger does not verify, or when ledger and org disagree.
"""

import argparse
import json
import pathlib
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import time

from processes import Console, Database, Org, Replica, is_free

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIRST, NEXT = "Open - Not Contacted", "Working - Contacted"
# An approved proposal that has not landed after this many seconds is lost.
PATIENCE = 90
# What the consoles say is what was counted after this many seconds without load, at the latest.
SETTLED = 30
# Of so many proposals one is rejected and one is left alone.
OF_MANY = 10


class Load:
    """What agents and people did: the proposal of each lead, and when it was approved."""

    def __init__(self, org):
        self.org = org
        self.sent, self.approved, self.rejected = set(), {}, set()

    def add(self, count):
        """New leads with a proposal each, and the decisions on them."""
        number = len(self.sent)
        leads = self.org.save("admin", "POST", [
            {"LastName": f"Example {number + n}", "Company": "Two Replicas Example", "Status": FIRST}
            for n in range(count)])
        ids = {lead: f"two:{number + n}" for n, lead in enumerate(leads)}
        self.org.save("proposer", "PATCH", [
            {"id": lead, "AI_Proposal_ID__c": ids[lead], "AI_Recommended_Status__c": NEXT,
             "AI_Status_Confidence__c": 0.8, "AI_Gate_Pending__c": True} for lead in leads])
        self.sent.update(leads)
        decisions, approved = [], []
        for n, lead in enumerate(leads):
            decided = {"id": lead, "AI_Decision_Proposal_ID__c": ids[lead], "AI_Gate_Pending__c": True}
            if (number + n) % OF_MANY == 0:
                decisions.append({**decided, "AI_Decision__c": "Rejected",
                                  "AI_Rejection_Reason__c": "Wrong Value"})
                self.rejected.add(lead)
            elif (number + n) % OF_MANY != 1:
                decisions.append({**decided, "AI_Decision__c": "Approved"})
                approved.append(lead)
        self.org.save("reviewer", "PATCH", decisions)
        now = time.monotonic()
        self.approved.update((lead, now) for lead in approved)


def count(load, rows, now):
    """The counters, from what was sent and from what the org says of each lead."""
    landed = {row["Id"]: int(row["AI_Promotion_Seq__c"] or 0) for row in rows
              if row["Status"] != FIRST or row["AI_Promotion_Seq__c"]}
    waiting = [now - since for lead, since in load.approved.items() if lead not in landed]
    return {
        "sent": len(load.sent),
        "approved": len(load.approved),
        "promoted": len(landed),
        "waiting": len(waiting),
        "oldest": int(max(waiting, default=0)),
        "lost": sum(age > PATIENCE for age in waiting),
        "doubled": sum(times > 1 for times in landed.values()),
        "unapproved": sum(lead not in load.approved for lead in landed),
    }


def look(load):
    soql = "SELECT Id, Status, AI_Promotion_Seq__c FROM Lead WHERE Company = 'Two Replicas Example'"
    return count(load, load.org.query(soql), time.monotonic())


class Watched:
    """What the consoles say, held against what was counted."""

    def __init__(self, console, replicas):
        self.console, self.replicas = console, replicas
        self.highest, self.looks, self.wrong = 0, 0, []

    def promoted(self):
        """What each says is promoted; a dash where it says nothing. It never goes down."""
        said = [self._of(one).get("promoted") for one in self.replicas]
        for one, number in zip(self.replicas, said):
            if number is not None and number < self.highest:
                self.wrong.append(f"the console of {one.name} says {number} promoted after {self.highest}")
        known = [number for number in said if number is not None]
        self.looks += len(known)
        self.highest = max([self.highest, *known])
        return ["-" if number is None else str(number) for number in said]

    def compare(self, counters):
        """Never more than the org has, which was asked afterwards."""
        if self.highest > counters["promoted"]:
            self.wrong.append(f"a console says {self.highest} promoted, the org {counters['promoted']}")

    def settle(self, load, counters):
        """When all has landed, each console says what was counted."""
        expected = {"promoted": counters["promoted"], "rejected": len(load.rejected), "open": 0, "batches": 0,
                    "awaiting-approval": len(load.sent) - len(load.approved) - len(load.rejected)}
        until = time.monotonic() + SETTLED
        for one in self.replicas:
            while (said := self._of(one)) and not expected.items() <= said.items() and time.monotonic() < until:
                time.sleep(0.5)
            others = {name: number for name, number in said.items() if number and name not in expected}
            if not expected.items() <= said.items() or others:
                self.wrong.append(f"the console of {one.name} says {said}, counted were {expected}")
        return expected

    def _of(self, one):
        address = one.address() if one.is_running() else None
        return self.console.counters(address) if address else {}


class Screen:
    """The counters as they change: one picture in a terminal, else a line each second."""

    def __init__(self, began):
        self.began, self.lines = began, 0
        self.terminal = sys.stdout.isatty()

    def show(self, counters, replicas, stands, said):
        passed = int(time.monotonic() - self.began)
        clock = f"{passed // 60:02}:{passed % 60:02}"
        if not self.terminal:
            words = " ".join(f"{name} {value}" for name, value in counters.items())
            both = ", ".join(f"{one.name} {at} (killed {one.kills})" for one, at in zip(replicas, stands))
            print(f"{clock} {words} | {both} | consoles: {', '.join(said)} promoted", flush=True)
            return
        wrong = {name: "\x1b[1;31m" if counters[name] else "\x1b[32m"
                 for name in ("lost", "doubled", "unapproved")}
        picture = [f"{clock}  two replicas, one PostgreSQL", ""]
        for one, at in zip(replicas, stands):
            leads = "\x1b[1;32mleads\x1b[0m    " if at == "serving" else f"{at:<9}"
            picture.append(f"  replica {one.name}    {leads}  pid {one.process.pid:<8} killed {one.kills} times   "
                           f"http://{one.address()}/console")
        picture += ["", f"  proposals sent {counters['sent']:>8}", f"  approved       {counters['approved']:>8}",
                    f"  promoted       {counters['promoted']:>8}   the consoles say {', '.join(said)}",
                    f"  waiting        {counters['waiting']:>8}   the oldest for {counters['oldest']} s"]
        picture += [f"  {name:<14} {colour}{counters[name]:>8}\x1b[0m" for name, colour in wrong.items()]
        up = f"\x1b[{self.lines}A" if self.lines else ""
        print(up + "".join(f"\x1b[2K{line}\n" for line in picture), end="", flush=True)
        self.lines = len(picture)


class Led:
    """Who leads, and the longest time in which nobody did."""

    def __init__(self, began):
        self.last, self.longest_gap = began, 0.0

    def see(self, replicas):
        """What each replica says it is at."""
        stands = [one.stands() for one in replicas]
        if "serving" in stands:
            self.longest_gap = max(self.longest_gap, time.monotonic() - self.last)
            self.last = time.monotonic()
        return stands


def start_again(replicas):
    for one in replicas:
        if not one.is_running():
            one.start()


def play(wish, load, replicas, watched):
    """Load and kills until the time is over. The longest time without a leader, in seconds."""
    rng = random.Random(wish.seed)
    began = time.monotonic()
    screen, led, next_kill = Screen(began), Led(began), began + wish.kill_every
    while time.monotonic() < began + wish.seconds:
        tick = time.monotonic()
        stands = led.see(replicas)
        load.add(wish.per_second)
        if time.monotonic() >= next_kill and "serving" in stands:
            # In the middle of the work on what was just approved, at another point each time.
            time.sleep(rng.random() / 4)
            leader = stands.index("serving")
            replicas[leader if rng.randrange(3) < 2 else 1 - leader].kill()
            next_kill = time.monotonic() + wish.kill_every
            stands = [one.stands() for one in replicas]
        said = watched.promoted()
        counters = look(load)
        watched.compare(counters)
        screen.show(counters, replicas, stands, said)
        time.sleep(max(0.0, 1 - (time.monotonic() - tick)))
        start_again(replicas)
    # From now on nobody is killed, and what was approved has to land.
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        start_again(replicas)
        said = watched.promoted()
        counters = look(load)
        watched.compare(counters)
        screen.show(counters, replicas, led.see(replicas), said)
        if not counters["waiting"]:
            break
        time.sleep(1)
    return led.longest_gap


def judge(wish, load, watched, ledger):
    """What is not as it must be, in words, the last counters, and what the consoles said."""
    replicas = watched.replicas
    settled = watched.settle(load, look(load))
    wrong = list(watched.wrong)
    for one in replicas:
        code = one.end()
        if code:
            wrong.append(f"replica {one.name} ended with {code}: see {one.log}")
    counters = look(load)
    counters["lost"] = counters["waiting"]
    wrong += [f"{counters[name]} {name}" for name in ("lost", "doubled", "unapproved") if counters[name]]

    def command(*words):
        return subprocess.run([wish.binary, *words, "--ledger", ledger], capture_output=True, text=True,
                              check=False)
    verified = command("verify")
    if verified.returncode:
        wrong.append(f"the ledger does not verify: {verified.stdout}{verified.stderr}")
    status = json.loads(command("status", "--json").stdout)
    in_ledger = status["stages"].get("promoted", 0)
    if in_ledger != counters["promoted"] or status["promotions_open"]:
        wrong.append(f"the ledger says {in_ledger} promoted and {status['promotions_open']} open, "
                     f"the org {counters['promoted']} promoted")
    return wrong, counters, settled


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=str(ROOT / "target/debug/countersign"))
    parser.add_argument("--seconds", type=int, default=60, help="how long there is load")
    parser.add_argument("--kill-every", type=float, default=6, help="seconds between kills")
    parser.add_argument("--per-second", type=int, default=20, help="proposals in a second")
    parser.add_argument("--seed", type=int, default=1, help="decides who is killed")
    parser.add_argument("--console-port", type=int, default=8091,
                        help="port of the first console, the second has the next; 0: any that is free")
    parser.add_argument("--database", help="URL of an empty PostgreSQL database; else one is started")
    return parser.parse_args()


def main():
    wish = arguments()
    if not pathlib.Path(wish.binary).exists():
        sys.exit(f"{wish.binary} is not there: run cargo build, or name another with --binary")
    ports = [wish.console_port + n if wish.console_port else 0 for n in range(2)]
    if not all(is_free(port) for port in ports):
        sys.exit(f"somebody listens on {ports[0]} or {ports[1]}: name another port with --console-port")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="countersign-demo-"))
    console = Console(folder, secrets.token_urlsafe(12))
    database = None if wish.database else Database()
    ledger = wish.database or database.url
    org, replicas = Org(wish.binary), []
    try:
        (folder / "countersign.toml").write_text(org.settings(ledger) + console.settings())
        replicas += [Replica(name, wish.binary, folder, port) for name, port in zip("AB", ports)]
        where = " and ".join(f"http://127.0.0.1:{port}/console" for port in ports if port)
        print(f"consoles: {where or 'on free ports'}, any user, password {console.password}\n", flush=True)
        load, watched = Load(org), Watched(console, replicas)
        longest = play(wish, load, replicas, watched)
        wrong, counters, settled = judge(wish, load, watched, ledger)
    finally:
        for one in replicas:
            if one.is_running():
                one.kill()
        org.stop()
        if database:
            database.stop()
    kills = sum(one.kills for one in replicas)
    print(f"\n{counters['sent']} proposals sent, {counters['approved']} approved, "
          f"{counters['promoted']} promoted; {kills} kills, at most {longest:.1f} s without a leader\n"
          f"lost {counters['lost']}, doubled {counters['doubled']}, unapproved {counters['unapproved']}\n"
          f"both consoles, after {watched.looks} looks: "
          + ", ".join(f"{name} {number}" for name, number in settled.items()))
    if wrong:
        sys.exit(f"NOT as it must be: {'; '.join(wrong)}\nlogs: {folder}")
    shutil.rmtree(folder)
    print("the ledger verifies and agrees with the org")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Recovery after kill -9, and memory under a backlog: numbers of this machine, no test.

    python3 benches/recovery.py BINARY [open PROMOTIONS] [backlog EVENTS]

A simulated org and the daemon run as processes of their own. `open`: the org refuses writes until so
many promotions are intended and open, the daemon is killed, the org takes writes again, a new daemon
starts; the clock runs from its start. `backlog`: the daemon is away while the org changes pending
leads; then it starts, and its resident size is told on the way through the events."""
import json, os, signal, sqlite3, subprocess, sys, tempfile, time, urllib.request

FIRST, NEXT = "Open - Not Contacted", "Working - Contacted"


class Org:
    def __init__(self, binary, folder, seed="none"):
        settings = os.path.join(folder, "org.json")
        with open(settings, "w") as out:
            json.dump({"daily-api-requests": 10**8, "daily-event-deliveries": 10**9}, out)
        self.process = subprocess.Popen([binary, "org", "--json", "--seed", seed, "--settings", settings], stdout=subprocess.PIPE)
        self.facts = json.loads(self.process.stdout.readline())

    def ask(self, method, path, body=None, role=None, more=None):
        headers = {"Content-Type": "application/json", **(more or {})}
        if role:
            headers["Authorization"] = "Bearer " + self.facts["users"][role]["access_token"]
            path = "/services/data/v67.0" + path
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.facts["instance_url"] + path, data, headers, method=method)
        with urllib.request.urlopen(request) as reply:
            text = reply.read()
        return json.loads(text) if text else None

    def rows(self, role, method, rows, more=None):
        ids = []
        for at in range(0, len(rows), 200):
            body = {"allOrNone": False, "records": rows[at:at + 200]}
            results = self.ask(method, "/composite/sobjects", body, role, more)
            assert all(it["success"] for it in results), results[:2]
            ids += [it["id"] for it in results]
        return ids

    def leads(self, count):
        lead = lambda n: {"attributes": {"type": "Lead"}, "LastName": f"Lead {n}", "Company": "Benchmark Example", "Status": FIRST}
        return self.rows("admin", "POST", [lead(n) for n in range(count)])

    def change(self, role, ids, fields, more=None):
        rows = [{"attributes": {"type": "Lead"}, "id": id, **fields(n)} for n, id in enumerate(ids)]
        return self.rows(role, "PATCH", rows, more)

    def calls(self):
        promoter = self.facts["users"]["promoter"]["username"]
        return sum(count for kind, count in self.ask("GET", "/__stats")["calls"].items() if kind.startswith(promoter))

    def config(self, folder, more):
        identity = lambda role: "\n".join([
            f"[{role}]", 'kind = "jwt"', f'client_id = "{self.facts["oauth"]["client_id"]}"',
            f'username = "{self.facts["users"][role]["username"]}"',
            f'private_key_path = "{self.facts["oauth"]["jwt_key_pem_path"]}"'])
        url = self.facts["instance_url"]
        path = os.path.join(folder, "countersign.toml")
        with open(path, "w") as out:
            out.write("\n".join([
                "[org]", f'login_url = "{url}"', f'instance_url = "{url}"',
                f'pubsub_endpoint = "http://{self.facts["pubsub_endpoint"]}"', identity("promoter"), identity("proposer"),
                "[ledger]", f'path = "{folder}/ledger.db"', "[log]", 'level = "warn"', more, ""]))
        return path


def one(folder, sql):
    try:
        with sqlite3.connect(f"file:{folder}/ledger.db?mode=ro", uri=True, timeout=30) as ledger:
            return ledger.execute(sql).fetchone()[0]
    except sqlite3.OperationalError:
        return None


def until(what, holds, limit=900):
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end, f"did not happen: {what}"
        time.sleep(0.02)


def resident(process):
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) // 1000 for line in status if line.startswith("VmRSS"))


def worked(process):
    """Seconds of processor time so far."""
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def serve(binary, config):
    return subprocess.Popen([binary, "serve", "--config", config], stderr=subprocess.DEVNULL)


def opened(binary, folder, count):
    org = Org(binary, folder)
    ids = org.leads(count)
    propose = lambda n: {"AI_Proposal_ID__c": f"bench:{n}", "AI_Recommended_Status__c": NEXT, "AI_Status_Confidence__c": 0.8, "AI_Gate_Pending__c": True}
    decide = lambda n: {"AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": f"bench:{n}", "AI_Gate_Pending__c": True}
    org.change("proposer", ids, propose)
    org.change("reviewer", ids, decide)
    fault = {"name": "writes", "point": "request", "count": None, "match": {"method": "PATCH", "path_contains": "composite/sobjects"},
             "action": {"kind": "error", "status": 503, "code": "UNABLE_TO_LOCK_ROW", "message": "busy"}}
    org.ask("POST", "/__faults", fault)
    daemon = serve(binary, org.config(folder, "[promotion]\nbatches_per_call = 1"))
    open_now = "SELECT count(*) FROM promotion WHERE open = 1"
    until("all are open", lambda: one(folder, open_now) == count)
    daemon.kill()
    daemon.wait()
    urllib.request.urlopen(urllib.request.Request(org.facts["instance_url"] + "/__faults", method="DELETE"))
    epoch, calls = one(folder, "SELECT value FROM meta WHERE key = 'epoch'"), org.calls()
    before, began = worked(org.process), time.monotonic()
    daemon = serve(binary, org.config(folder, ""))
    until("it leads", lambda: one(folder, "SELECT value FROM meta WHERE key = 'epoch'") not in (epoch, None))
    leads = time.monotonic() - began
    until("all have ended", lambda: one(folder, open_now) == 0)
    ended = time.monotonic() - began
    daemons, orgs, spent = worked(daemon), worked(org.process) - before, org.calls() - calls
    states = one(folder, "SELECT group_concat(n || ' ' || state, ', ') FROM (SELECT count(*) n, body ->> '$.settlement.state' state FROM promotion GROUP BY 2)")
    print(f"{count} open at the kill: leads after {leads:.2f} s, all ended after {ended:.2f} s, {spent} API calls; {states}; {resident(daemon)} MB; "
          f"processor time {daemons:.1f} s of the daemon, {orgs:.1f} s of the org")
    for process in (daemon, org.process):
        process.send_signal(signal.SIGTERM)
        process.wait()


def backlog(binary, folder, events):
    org = Org(binary, folder)
    count = min(events, 10_000)
    ids = org.leads(count)
    config = org.config(folder, "")
    daemon = serve(binary, config)
    until("it leads", lambda: one(folder, "SELECT value FROM meta WHERE key = 'epoch'") is not None, 120)
    time.sleep(3)
    org.change("admin", ids[:200], lambda n: {"AI_Gate_Pending__c": True})
    until("it heard", lambda: (one(folder, "SELECT coalesce(max(id), 0) FROM inbox") or 0) > 0, 120)
    time.sleep(2)
    daemon.send_signal(signal.SIGTERM)
    daemon.wait()
    began = time.monotonic()
    # Under this name an event passes the channel's filter also when the daemon has taken the flag off.
    passes = {"Sforce-Call-Options": "client=countersign"}
    for turn in range(max(1, events // count)):
        org.change("admin", ids, lambda n: {"Description": f"change {turn} of {n}"}, passes)
    print(f"{events} events made in {time.monotonic() - began:.0f} s")
    heard = "SELECT coalesce(sum(events), 0) FROM inbox"
    before, began = one(folder, heard), time.monotonic()
    daemon = serve(binary, config)
    time.sleep(1)
    print(f"at the start {resident(daemon)} MB")
    for mark in [events * tenth // 10 for tenth in (1, 2, 4, 6, 8, 10)]:
        until(f"{mark} events", lambda: (one(folder, heard) or 0) - before >= mark)
        print(f"{mark} events recorded after {time.monotonic() - began:.1f} s: {resident(daemon)} MB")
    waiting = "SELECT count(*) FROM inbox WHERE id > coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'processed_up_to'), 0)"
    all_waiting = one(folder, waiting)
    for left in [all_waiting * tenth // 10 for tenth in (8, 6, 4, 2, 0)]:
        until(f"{left} batches wait", lambda: one(folder, waiting) <= left)
        print(f"{left} batches wait after {time.monotonic() - began:.1f} s: {resident(daemon)} MB")
    print(f"all worked on after {time.monotonic() - began:.1f} s; processor time {worked(daemon):.1f} s of the daemon")
    for process in (daemon, org.process):
        process.send_signal(signal.SIGTERM)
        process.wait()


def main():
    binary, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    runs = list(zip(words[::2], map(int, words[1::2]))) or [("open", 10_000), ("backlog", 1_000_000)]
    for name, size in runs:
        with tempfile.TemporaryDirectory() as folder:
            {"open": opened, "backlog": backlog}[name](binary, folder, size)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Decay over a large org: API calls, seconds and memory of this machine, no test.

    python3 benches/decay.py BINARY [LEADS]

A simulated org holds a million leads at work (or as many as are named); of each fifty one is stale.
`countersign decay announce` and then `run` are processes of their own. The least that the platform
allows is one call for 2,000 records read and one for 200 written."""
import json, os, subprocess, sys, tempfile, threading, time

from recovery import Org, resident

READ, WRITTEN, SHARE = 2_000, 200, 50


def policies(folder):
    """The shipped ones, with leads at work that decay at once."""
    shipped = os.path.join(os.path.dirname(__file__), "..", "config", "policies")
    path = os.path.join(folder, "policies")
    os.mkdir(path)
    for name in ("lead-lifecycle.toml", "opportunity-pilot.toml"):
        with open(os.path.join(shipped, name)) as rules:
            text = rules.read()
        if name.startswith("lead"):
            changed = text.replace('"Working - Contacted" = 30', '"Working - Contacted" = 0')
            assert changed != text, "the shipped policy has the window of 30 days"
            text = changed
        with open(os.path.join(path, name), "w") as out:
            out.write(text)
    return path


def timed(org, command):
    """Runs a command: what it printed, calls, seconds, and its resident size at its height."""
    calls, began = org.calls(), time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    height = [0]

    def watch():
        while process.poll() is None:
            try:
                height[0] = max(height[0], resident(process))
            except (OSError, StopIteration):
                return
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    told = process.stdout.read()
    assert process.wait() == 0, told[:2000]
    seconds = time.monotonic() - began
    watcher.join()
    return told, org.calls() - calls, seconds, height[0]


def main():
    binary = os.path.abspath(sys.argv[1])
    leads = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    due = leads // SHARE
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        org = Org(binary, folder, f"stale:{leads}")
        print(f"an org of {leads} leads was ready after {time.monotonic() - began:.0f} s; {due} are due")
        config = org.config(folder, "\n".join([
            "[policy]", f'directory = "{policies(folder)}"', "[decay]", "objection_hours = 0", f"most_records = {max(due, 1)}"]))
        least = {"announce": -(-due // READ), "run": -(-due // READ) + -(-due // WRITTEN)}
        print("\n| step | records | API calls | the platform's least | seconds | MB at most |\n|---|---|---|---|---|---|")
        for step, words in (("announce", ["--by", "the benchmark"]), ("run", [])):
            command = [binary, "decay", step, *words, "--json", "--config", config]
            told, calls, seconds, height = timed(org, command)
            print(f"| {step} | {due} | {calls} | {least[step]} | {seconds:.1f} | {height} |", flush=True)
        report = subprocess.run([binary, "decay", "report", "--json", "--ledger", f"{folder}/ledger.db"], capture_output=True, text=True)
        counts = json.loads(report.stdout)["counts"]
        print(f"\nends: {counts}")
        assert counts == {"moved": due}, "each stale lead moves, and no other"
        org.process.terminate()
        org.process.wait()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Checks salesforce-metadata/ without an org and prints a table.

  tests/metadata/run.py             everything
  tests/metadata/run.py CHECK ..    only these checks
  tests/metadata/run.py defects     only the broken copies

What is needed from npm is installed into target/metadata, from the lock file. Java is needed by
the check `apex`; where it is missing it is installed with apt. Nothing talks to an org.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import model

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGE = ROOT / "salesforce-metadata"
TARGET = ROOT / "target" / "metadata"


def install():
    """npm packages as locked, and the checks beside them, because modules are found from there."""
    TARGET.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_bytes()
    mark = TARGET / "installed"
    wanted = hashlib.sha256(lock).hexdigest()
    if not mark.exists() or mark.read_text() != wanted:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, TARGET / name)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=TARGET, check=True)
        mark.write_text(wanted)
    for folder in ("lib", "checks"):
        shutil.rmtree(TARGET / folder, ignore_errors=True)
        shutil.copytree(HERE / folder, TARGET / folder)
    for path in [*HERE.glob("*.mjs"), *HERE.glob("*.json")]:
        shutil.copy(path, TARGET / path.name)


def java():
    if shutil.which("java"):
        return
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*sudo, "apt-get", "update", "-qq"], check=True)
    subprocess.run([*sudo, "apt-get", "install", "-y", "-qq", "openjdk-17-jre-headless"], check=True)


def node(*args):
    """Lines of JSON that a script prints."""
    done = subprocess.run(["node", *map(str, args)], cwd=TARGET, stdout=subprocess.PIPE, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not rows:
        rows.append({"check": Path(args[0]).stem, "looked": 0, "findings": ["ended early"], "seconds": 0.0})
    return rows


def show(rows):
    print(f"{'check':<14}{'files':>7}{'findings':>10}{'seconds':>9}")
    for row in rows:
        print(f"{row['check']:<14}{row['looked']:>7}{len(row['findings']):>10}{row['seconds']:>9.1f}")
    for row in rows:
        for finding in row["findings"]:
            print(f"{row['check']}: {finding}", file=sys.stderr)


def defects():
    """Broken copies: each must be found. The table says how many by which check, and how many by it alone."""
    rows = node("defects.mjs", PACKAGE, TARGET / "work")
    missed = [row for row in rows if not row.get("caught") or row.get("error")]
    print(f"\n{'defects of':<14}{'broken':>7}{'found':>10}  by (alone by)")
    for kind in dict.fromkeys(row.get("kind", "?") for row in rows):
        mine = [row for row in rows if row.get("kind", "?") == kind]
        by = {}
        for row in mine:
            for check in row.get("caught", []):
                both, alone = by.get(check, (0, 0))
                by[check] = (both + 1, alone + (len(row["caught"]) == 1))
        said = ", ".join(f"{check} {both} ({alone})" for check, (both, alone) in by.items())
        print(f"{kind:<14}{len(mine):>7}{sum(row not in missed for row in mine):>10}  {said}")
    for row in missed:
        print(f"NOT FOUND: {row.get('kind')}: {row.get('defect')}: {row.get('error') or row.get('findings')}", file=sys.stderr)
    if len(rows) < 150:
        print(f"only {len(rows)} broken copies", file=sys.stderr)
    return bool(missed) or len(rows) < 150


def main():
    start = time.monotonic()
    only = sys.argv[1:]
    install()
    java()
    model.check()
    failed = False
    if only != ["defects"]:
        rows = node("check.mjs", PACKAGE, TARGET / "work", *only)
        show(rows)
        failed = any(row["findings"] for row in rows)
    if not only or only == ["defects"]:
        failed |= defects()
    print(f"{time.monotonic() - start:.0f} s")
    sys.exit(failed)


if __name__ == "__main__":
    main()

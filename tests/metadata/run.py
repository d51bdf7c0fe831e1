#!/usr/bin/env python3
"""Checks salesforce-metadata/ without an org and prints a table.

  tests/metadata/run.py             everything
  tests/metadata/run.py CHECK ..    only these checks

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


def main():
    start = time.monotonic()
    install()
    java()
    model.check()
    rows = node("check.mjs", PACKAGE, TARGET / "work", *sys.argv[1:])
    show(rows)
    print(f"{time.monotonic() - start:.0f} s")
    sys.exit(any(row["findings"] for row in rows))


if __name__ == "__main__":
    main()

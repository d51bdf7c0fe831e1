"""Plants every bug of planted.toml in a copy of the sources and lets the schedules look for each.

    python3 tests/schedules/planted.py                      all of them
    python3 tests/schedules/planted.py NAME..               these
    python3 tests/schedules/planted.py --of ninety [NAME..] those of tests/ninety, which the ninety days look for

The copy is built one time: every bug is in it, behind a switch. A bug that is not found within its
budget of seeds fails the run; so does a seed that fails while no bug is switched on.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "target" / "planted"
# More than the code needs: the seeds of a quiet run, which must find nothing.
QUIET = 60
QUIET_DAYS = 30
SWITCH = """
static PLANTED: std::sync::RwLock<String> = std::sync::RwLock::new(String::new());

/// Switches a planted bug on.
pub fn plant(name: &str) {
    name.clone_into(&mut PLANTED.write().unwrap_or_else(std::sync::PoisonError::into_inner));
}

/// Whether this planted bug is switched on.
pub fn planted(name: &str) -> bool {
    *PLANTED.read().unwrap_or_else(std::sync::PoisonError::into_inner) == name
        || std::env::var("PLANTED_BUG").is_ok_and(|planted| planted == name)
}
"""


def copy_sources():
    COPY.mkdir(parents=True, exist_ok=True)
    for old in COPY.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, check=True, capture_output=True)
    for name in listed.stdout.decode().split("\0"):
        source = ROOT / name
        if name and source.is_file() and not name.startswith(("benches/engines", "tests/model", "tests/fuzz")):
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, COPY / name)


def edit(path, find, replace):
    path = COPY / path
    text = path.read_text()
    if text.count(find) != 1:
        sys.exit(f"{path.relative_to(COPY)}: found {text.count(find)} times, wanted once: {find!r}")
    path.write_text(text.replace(find, replace))


def rename():
    """Another version, so that the copy's build takes the place of none of ours in the same folder."""
    for name in ["Cargo.toml", "Cargo.lock"]:
        text = (COPY / name).read_text()
        text, found = re.subn(r'(name = "countersign"\nversion = "[^"]+)', r"\1-planted", text)
        if found != 1:
            sys.exit(f"{name}: the package stands there {found} times, wanted once")
        (COPY / name).write_text(text)


def plant(bugs):
    for bug in bugs:
        for one in bug.get("edit", []):
            switch = f'crate::crash::planted("{bug["name"]}")'
            edit(one["file"], one["find"], one["replace"].replace("PLANTED", switch))
    with open(COPY / "src/crash.rs", "a") as crash:
        crash.write(SWITCH)
    edit("tests/schedules/main.rs", "fn plant(_name: &str) {}",
         "fn plant(name: &str) {\n    countersign::crash::plant(name);\n}")


def build(target):
    command = [os.environ.get("CARGO", "cargo"), "test", "--locked", "--test", target, "--no-run",
               "--message-format", "json-render-diagnostics", "--target-dir", str(ROOT / "target")]
    out = subprocess.run(command, cwd=COPY, check=True, stdout=subprocess.PIPE).stdout.decode()
    told = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    built = [one["executable"] for one in told
             if one.get("reason") == "compiler-artifact" and one["target"]["name"] == target]
    return built[-1]


def look_for(binary, bug, seeds):
    command = [binary, "--seeds", str(seeds), "--until-found", "--planted", bug.get("name", ""),
               "--without", ",".join(bug.get("without", []))]
    done = subprocess.run(command, cwd=COPY, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    told = json.loads(lines[-1]) if lines else {"found": True, "seeds": 0, "seconds": 0}
    words = [line for line in done.stderr.splitlines() if line.startswith("seed ")]
    return told, (words or [""])[-1]


def look_in_days(binary, bug, seeds):
    """The days have no switch of their own: the story and the commands that make its reports are told alike."""
    environment = dict(os.environ, PLANTED_BUG=bug.get("name", ""))
    began = time.monotonic()
    for seed in range(1, seeds + 1):
        command = [binary, "--seed", str(seed), "--days", str(bug.get("days", QUIET_DAYS))]
        done = subprocess.run(command, cwd=COPY, capture_output=True, text=True, env=environment)
        if done.returncode != 0:
            wrong = [line for line in done.stdout.splitlines() if line.startswith("WRONG ")]
            words = wrong[0] if wrong else (done.stderr.strip().splitlines() or ["no words"])[0]
            return {"found": True, "seeds": seed, "seconds": time.monotonic() - began}, words
    return {"found": False, "seeds": seeds, "seconds": time.monotonic() - began}, ""


def main():
    names, of = sys.argv[1:], "schedules"
    if names[:1] == ["--of"]:
        of, names = names[1], names[2:]
    look = {"schedules": look_for, "ninety": look_in_days}[of]
    bugs = tomllib.loads((ROOT / f"tests/{of}/planted.toml").read_text())["bug"]
    copy_sources()
    rename()
    plant(bugs)
    binary = build(of)
    told, words = look(binary, {}, QUIET if of == "schedules" else 1)
    print(f"no bug: {told['seeds']} seeds, {words or 'nothing found'}", flush=True)
    missed = ["no bug"] if told["found"] else []
    print("| bug | seeds until found | budget | found by |\n|---|---|---|---|", flush=True)
    for bug in bugs:
        if names and bug["name"] not in names:
            continue
        told, words = look(binary, bug, bug["budget"])
        found = told["seeds"] if told["found"] else "NOT FOUND"
        words = words.split(": ", 1)[-1][:60]
        print(f"| {bug['name']} | {found} | {bug['budget']} | {words} |", flush=True)
        if not told["found"]:
            missed.append(bug["name"])
    if missed:
        sys.exit(f"not as it must be: {', '.join(missed)}")


if __name__ == "__main__":
    main()

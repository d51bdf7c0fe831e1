#!/usr/bin/env bash
# Runs every test. Works on a fresh Debian machine with Rust, Node and Python: what else is
# needed is installed here, PostgreSQL too. CI calls this and nothing else.
#
#   tests/run.sh            everything
#   tests/run.sh rust       formatting, lints, unit and integration tests
#   tests/run.sh model      the promotion protocol, every order of its steps
#   tests/run.sh clients    the simulated org judged by clients that other people wrote
#   tests/run.sh metadata   salesforce-metadata/ checked without an org
#   tests/run.sh deny       licences, bans, sources and advisories of the dependencies
set -euo pipefail
cd "$(dirname "$0")/.."
what="${1:-all}"

say() { printf '\n== %s\n' "$*"; }

need() {
  command -v "$1" >/dev/null || { echo "missing: $1; $2" >&2; exit 2; }
}

system_packages() {
  local missing=()
  command -v cc >/dev/null || missing+=(build-essential)
  command -v curl >/dev/null || missing+=(curl)
  python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
  if ((${#missing[@]})); then
    say "installing ${missing[*]}"
    local sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq && $sudo apt-get install -y -qq "${missing[@]}"
  fi
}

rust() {
  say "formatting"; cargo fmt --check
  say "lints"; cargo clippy --locked --all-targets --quiet -- -D warnings
  say "the pure core, compiled alone"
  cargo check --locked --quiet --manifest-path tests/core/Cargo.toml --target-dir target/core
  # Tests switch features of dependencies on that the shipped binary goes without.
  say "the daemon without what tests add"; cargo check --locked --quiet --bin countersign
  say "unit and integration tests"; cargo test --locked
}

model() {
  local at=(--manifest-path tests/model/Cargo.toml)
  say "the model of the promotion protocol"
  cargo fmt --check "${at[@]}"
  cargo clippy --locked --release --all-targets --quiet "${at[@]}" -- -D warnings
  cargo test --locked --release "${at[@]}"
}

# The binary that the integration tests are built with. `cargo build` would compile many dependencies
# once more, because it leaves out the features that only tests ask for.
binary() {
  cargo test --locked --quiet --no-run --test it
}

clients() {
  say "clients that other people wrote"
  binary
  python3 tests/clients/run.py
}

metadata() {
  say "the Salesforce package, without an org"
  python3 tests/metadata/run.py
}

demo() {
  say "the demo, every step as told"
  binary
  "${CARGO_TARGET_DIR:-target}/debug/countersign" demo --once --json > target/demo.json
  python3 - <<'PY'
import json
told = json.load(open("target/demo.json"))
for step in told["steps"]:
    print(f"{'ok ' if step['ok'] else 'NOT'} {step['name']}: {step['observed'][:100]}")
assert told["ok"] and told["steps"], "a step did not go as told"
PY
}

deny() {
  say "dependencies: licences, bans, sources"
  if ! command -v cargo-deny >/dev/null && [ ! -x target/tools/bin/cargo-deny ]; then
    cargo install --quiet --locked --debug --root target/tools --version 0.20.2 cargo-deny
  fi
  PATH="$PWD/target/tools/bin:$PATH" cargo deny --all-features check --hide-inclusion-graph licenses bans sources
  say "dependencies: advisories"
  if PATH="$PWD/target/tools/bin:$PATH" timeout 120 cargo deny fetch db >/dev/null 2>&1; then
    PATH="$PWD/target/tools/bin:$PATH" cargo deny check advisories
  else
    echo "NOT CHECKED: the advisory database cannot be reached from here."
  fi
}

need cargo "install Rust from https://rustup.rs"
need node "install Node 20 or newer"
need python3 "install Python 3.11 or newer"
system_packages
case "$what" in
  all) rust; model; metadata; demo; clients; deny ;;
  rust | model | clients | deny | demo | metadata) "$what" ;;
  *) echo "unknown part: $what (all, rust, model, metadata, demo, clients, deny)" >&2; exit 2 ;;
esac
say "all parts passed"

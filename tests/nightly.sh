#!/usr/bin/env bash
# The tests that take hours: for a night, not for each change. Needs Rust, Python and a C compiler;
# the tools are installed here, below target/tools. A part that fails does not keep the others from
# running; the script fails at the end.
#
#   tests/nightly.sh               everything
#   tests/nightly.sh gates         the two gates compared a million times (GATE_CASES for another number)
#   tests/nightly.sh model         the model of the promotion protocol, with everything going wrong together
#   tests/nightly.sh schedules     seeded fault schedules, other seeds each day (SCHEDULE_SEEDS for another number)
#   tests/nightly.sh planted       each planted bug is found by the schedules, or by the ninety days, within its budget of seeds
#   tests/nightly.sh sweep         the real daemon ended at every point of its work
#   tests/nightly.sh unit          deploy/countersign.service under a systemd of its own; wants root
#   tests/nightly.sh fuzz          each fuzz target for FUZZ_SECONDS (600), with the nightly toolchain
#   tests/nightly.sh fuzz decide   one target
#   tests/nightly.sh mutants       every small change of src/gate and src/domain is found by a unit test,
#                                  or tests/core/mutants.toml says why not
#   tests/nightly.sh mutants 1/8   a part of them; the parts of 8 are 0/8 to 7/8
set -euo pipefail
cd "$(dirname "$0")/.."
what="${1:-all}"
part="${2:-}"
tools="$PWD/target/tools"

say() { printf '\n== %s\n' "$*"; }

need() {
  command -v "$1" >/dev/null || { echo "missing: $1; $2" >&2; exit 2; }
}

# A cargo command of a pinned version.
tool() {
  export PATH="$tools/bin:$PATH"
  if [ "$(cargo "$1" --version 2>/dev/null)" != "cargo-$1 $2" ]; then
    say "installing cargo-$1 $2"
    cargo install --quiet --locked --force --root "$tools" --version "$2" "cargo-$1"
  fi
}

# Names what failed, if anything did.
told() {
  (($# == 0)) || { echo "FAILED: $*" >&2; return 1; }
}

gates() {
  say "the two gates, ${GATE_CASES:-1000000} times"
  PROPTEST_CASES="${GATE_CASES:-1000000}" cargo test --locked --release --manifest-path tests/core/Cargo.toml \
    --target-dir target/core --lib -- gate::tests::naive
}

model() {
  say "the model of the promotion protocol, everything together"
  cargo test --locked --release --manifest-path tests/model/Cargo.toml -- --ignored
}

schedules() {
  local first; first="$(date -u +%Y%m%d)000000"
  say "fault schedules from seed $first"
  cargo test --locked --test schedules -- --first "$first" --seeds "${SCHEDULE_SEEDS:-20000}"
}

planted() {
  say "planted bugs"
  if [ -n "$part" ]; then
    python3 tests/schedules/planted.py "$part"
  else
    python3 tests/schedules/planted.py
    python3 tests/schedules/planted.py --of ninety
  fi
}

sweep() {
  say "the crash sweep, every point"
  cargo test --locked --test sweep -- --all
  cargo test --locked --test sweep -- --all --postgres
}

unit() {
  say "the systemd unit, under a systemd of its own"
  cargo build --locked --bin countersign
  python3 tests/scripts/systemd_unit.py
}

fuzz() {
  tool fuzz 0.13.2
  rustup toolchain list | grep -q '^nightly' || rustup toolchain install nightly --profile minimal
  say "first inputs"; python3 tests/fuzz/seeds.py
  # `policy` writes each input to a file.
  if [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi
  local targets=(policy proposal decide) failed=()
  if [ -n "$part" ]; then targets=("$part"); fi
  for target in "${targets[@]}"; do
    say "fuzzing $target"
    local options=("-max_total_time=${FUZZ_SECONDS:-600}" -print_final_stats=1 -verbosity=0)
    if [ -f "tests/fuzz/$target.dict" ]; then options+=("-dict=tests/fuzz/$target.dict"); fi
    cargo +nightly fuzz run --fuzz-dir tests/fuzz -s none "$target" -- "${options[@]}" || failed+=("$target")
  done
  told "${failed[@]}"
}

# A package of the core with its sources inside, which cargo-mutants may change: it does not follow
# the paths that lead out of tests/core.
core_copy() {
  mkdir -p "$1"
  rm -rf "${1:?}/src" "$1/tests" "$1/.cargo"
  mkdir -p "$1/src" "$1/tests" "$1/.cargo"
  cp tests/core/Cargo.toml tests/core/Cargo.lock "$1/"
  cp tests/core/mutants.toml "$1/.cargo/"
  cp -r src/domain src/gate "$1/src/"
  cp -r tests/corpus "$1/tests/"
  grep -v '^#\[path' tests/core/src/lib.rs > "$1/src/lib.rs"
}

mutants() {
  tool mutants 27.1.0
  say "mutants of src/gate and src/domain ${part:+(part $part)}"
  # Parts may run side by side: each has a copy.
  local name="${part:-all}" chosen=()
  local copy="target/mutants/${name/\//-of-}"
  core_copy "$copy"
  if [ -n "$part" ]; then chosen+=(--shard "$part"); fi
  # The seed makes a run repeatable. What failed is not made smaller. The comparison of the two gates
  # is left out: it takes longer than all other tests, and what only it finds should have a case.
  # 120 seconds are many times what a run takes. A change may make a loop endless that fills the memory:
  # it gets 8 GB.
  (
    ulimit -v 8000000
    export PROPTEST_RNG_SEED=1 PROPTEST_MAX_SHRINK_ITERS=0 PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
    export INSTA_UPDATE=no
    cargo mutants --dir "$copy" --in-place --no-shuffle --timeout 120 "${chosen[@]}" \
      --cargo-arg=--locked --cargo-arg=--lib -- -- --skip gate::tests::naive
  )
}

all() {
  local failed=()
  for each in gates model schedules planted sweep unit fuzz mutants; do
    tests/nightly.sh "$each" || failed+=("$each")
  done
  told "${failed[@]}"
}

need cargo "install Rust from https://rustup.rs"
need rustup "install Rust from https://rustup.rs"
need python3 "install Python 3.11 or newer"
need cc "install a C compiler, for example the package build-essential"
case "$what" in
  all | gates | model | schedules | planted | sweep | unit | fuzz | mutants) "$what" ;;
  *) echo "unknown part: $what (all, gates, model, schedules, planted, sweep, unit, fuzz, mutants)" >&2; exit 2 ;;
esac
say "passed"

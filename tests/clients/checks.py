"""What the Python clients share: the list of checks, one line of JSON for each result."""

import json
import signal
import sys
import traceback

ORG = json.loads(open(sys.argv[1], encoding="utf-8").read())
VERSION = str(ORG["api_version"]).lstrip("v")
PER_CHECK_SECONDS = 60

CHECKS = []


def check(name):
    """Registers a function as a check; checks run in the order of the file."""

    def register(body):
        CHECKS.append((name, body))
        return body

    return register


def refused(kind, call, *args, **kwargs):
    """The error that a call must end with."""
    try:
        call(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError("the call was expected to be refused")


def equal(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


def _late(_signal, _frame):
    raise TimeoutError(f"no result after {PER_CHECK_SECONDS} s")


def _say(line):
    print(json.dumps(line), flush=True)


def run():
    """Runs the checks. The plan goes first, so that a check that never ran is noticed."""
    _say({"plan": [name for name, _ in CHECKS]})
    signal.signal(signal.SIGALRM, _late)
    for name, body in CHECKS:
        signal.alarm(PER_CHECK_SECONDS)
        try:
            body()
            _say({"check": name, "ok": True})
        except BaseException:  # the next check runs whatever went wrong
            _say({"check": name, "ok": False, "detail": traceback.format_exc()[-1500:]})
        finally:
            signal.alarm(0)

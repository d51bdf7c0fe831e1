"""Writes the first inputs of the fuzz targets, from the shipped policies and golden cases.

The target `decide` needs none: its inputs are changes of the golden cases that it holds itself.
"""

import json
import pathlib
import tomllib

here = pathlib.Path(__file__).resolve().parent
policies = here.parent.parent / "config" / "policies"


def write(target, name, text):
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def proposal(place, case):
    told = {
        "proposal_id": f"golden:{place}",
        "object": case["object"],
        "record_id": "00QCs0000000001MAA",
        "patch": case["change"],
        "base": case.get("saw", case.get("record", {})),
        "confidence": case.get("confidence"),
        "reason": case["name"],
        "evaluated_at": "2026-01-15T11:55:00Z",
        "expires_at": "2026-02-15T11:55:00+01:00",
        "requires_review": case.get("requires_review", False),
        "actor": {"agent": "an-agent", "version": "1", "run": "imports/7"},
        "evidence": [{"kind": "reply", "source": "mailbox", "occurred_at": "2026-01-15T11:00:00Z"}],
    }
    return json.dumps(told, indent=1)


for file in [*policies.glob("*.toml"), *(here / "policies").glob("*.toml")]:
    write("policy", file.name, file.read_text())
for file in (policies / "cases").glob("*.toml"):
    for place, case in enumerate(tomllib.loads(file.read_text())["case"]):
        write("proposal", f"{file.stem}-{place}.json", proposal(place, case))
short = {"recommendedStatus": "Working - Contacted", "confidence": 0.93, "reason": "replied",
         "proposalId": "p-1", "leadId": "00QCs0000000001MAA"}
write("proposal", "short.json", json.dumps(short))

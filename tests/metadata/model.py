#!/usr/bin/env python3
"""What each rule is for, in plain words of a program: which AI_GATE codes a save must meet.

Written from what the rules promise (the package's README and the rules' descriptions) and not from
their formulas, so that a formula that promises more than it keeps is found. Blank text is the same
as empty text; a blank number or date equals nothing but another blank.

  model.py            writes matrix_expected.json from matrix.json
  model.py --check    fails when the file says something else
"""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent

GOVERNED = {
    "Lead": {"Status": ("AI_Recommended_Status__c", "Previous_Lead_Status__c", "Lead_Status_Auto__c")},
    "Opportunity": {
        "StageName": ("AI_Recommended_Stage__c", "Previous_Stage__c", "Opportunity_Stage_Auto__c"),
        "CloseDate": ("AI_Recommended_Close_Date__c", "Previous_Close_Date__c", "Opportunity_Close_Date_Auto__c"),
        "Amount": ("AI_Recommended_Amount__c", "Previous_Amount__c", "Opportunity_Amount_Auto__c"),
        "NextStep": ("AI_Recommended_Next_Step__c", "Previous_Next_Step__c", "Opportunity_Next_Step_Auto__c"),
    },
}
SOURCE = {"Lead": "Lead_Status_Change_Source__c", "Opportunity": "Opportunity_Change_Source__c"}
DATE = {"Lead": "Lead_Status_Changed_Date__c", "Opportunity": "Opportunity_Changed_Date__c"}
NAMES = {"Lead": ["OwnerId", "LastName", "Company"], "Opportunity": ["OwnerId", "Name"]}
CONFIDENCE = {"Lead": "AI_Status_Confidence__c", "Opportunity": "AI_Proposal_Confidence__c"}
DECISION_STAMPS = ["AI_Decision_Proposal_ID__c", "AI_Decided_By__c", "AI_Decided_At__c", "AI_Rejection_Reason__c"]
FIRST = ["AI_First_Approved_By__c", "AI_First_Approval_Proposal_ID__c"]
DAEMONS_OWN = ["AI_Promoted_Proposal_ID__c", "AI_Last_Promotion_ID__c", "AI_Promotion_Seq__c", "AI_Gate_Outcome__c",
               "AI_Gate_Outcome_Of__c"]


class Save:
    """One save: the record before and after it, who saves, and how the org is set."""

    def __init__(self, matrix, obj, before, after, who, settings):
        self.object, self.old, self.new = obj, before or {}, after
        self.insert = before is None
        self.switches, self.two = settings.get("$switches", []), settings.get("$two")
        self.silent, self.heartbeat = settings.get("$silent"), settings.get("$heartbeat")
        self.user = who["user"]
        self.now = datetime.fromisoformat(matrix["now"].replace("Z", "+00:00"))
        self.today = matrix["today"]
        holds = who["holds"]
        self.agent, self.gate = "AI_Proposer" in holds, "AI_Promoter" in holds
        self.reviewer = "AI_Reviewer" in holds
        self.judge = self.reviewer and not self.agent and not self.gate
        reason_changed = self.changed("AI_Break_Glass_Reason__c")
        self.may_break = "AI_Break_Glass" in holds and not self.agent and not self.gate
        self.breaks_glass = self.may_break and reason_changed

    def is_(self, field):
        return self.new.get(field)

    def was(self, field):
        """On an insert there is no old record, and the org shows the new value."""
        return self.new.get(field) if self.insert else self.old.get(field)

    def changed(self, field):
        if self.insert:
            return False
        a, b = self.old.get(field), self.new.get(field)
        return (a if a not in ("", None) else None) != (b if b not in ("", None) else None)

    def any_changed(self, fields):
        return any(self.changed(field) for field in fields)

    @property
    def governed(self):
        return GOVERNED[self.object]

    @property
    def moved(self):
        """Governed fields that this save changes."""
        return [field for field in self.governed if self.changed(field)]

    @property
    def source(self):
        return self.is_(SOURCE[self.object])

    @property
    def id(self):
        return self.is_("AI_Proposal_ID__c") or ""

    def time(self, text):
        return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None

    def fresh(self, text):
        """A stamp of this save: there, and not older than an hour."""
        return bool(text) and self.time(text) >= self.now - timedelta(hours=1)


def r01(s):
    """An agent creates no record and changes no governed field, name, owner or hold."""
    return s.agent and not s.gate and (
        s.insert or bool(s.moved) or s.any_changed(NAMES[s.object] + ["AI_Hold_Until__c", "AI_Hold_Reason__c"])
    )


def honest_edit(s):
    """A reviewer's edit: a new id made of the old one, said to come from it, not promoted yet."""
    old = s.old.get("AI_Proposal_ID__c") or ""
    return (
        s.judge and not s.insert and bool(old) and s.changed("AI_Proposal_ID__c")
        and s.is_("AI_Edited_From__c") == old and s.id.startswith(old + "~")
        and s.is_("AI_Promoted_Proposal_ID__c") != old
    )


def r02(s):
    """Only a reviewer decides, on the proposal on the record; a new proposal starts undecided."""
    decision = s.is_("AI_Decision__c")
    about_this = bool(s.id) and s.is_("AI_Decision_Proposal_ID__c") == s.id
    decides = s.any_changed(["AI_Decision__c", "AI_Decision_Proposal_ID__c"])
    new_proposal = s.changed("AI_Proposal_ID__c")
    stamps = DECISION_STAMPS + (FIRST if s.object == "Opportunity" else [])
    if decision == "Approved" and (s.insert or decides or new_proposal):
        if s.insert or not s.judge or not about_this or (new_proposal and not honest_edit(s)):
            return True
    if s.breaks_glass:
        return False
    if decision == "Rejected":
        if s.insert or new_proposal or (decides and not (s.judge and about_this)):
            return True
    taken_back = s.changed("AI_Decision__c") and decision not in ("Approved", "Rejected")
    if taken_back and not new_proposal and not s.reviewer and not s.gate:
        return True
    if s.insert and any(s.is_(field) for field in stamps):
        return True
    if not s.judge and any(s.changed(field) and s.is_(field) for field in stamps):
        return True
    if not s.reviewer and not new_proposal and s.any_changed(stamps):
        return True
    edited_from = s.is_("AI_Edited_From__c")
    return bool(edited_from) and (s.insert or s.changed("AI_Edited_From__c")) and not honest_edit(s)


def r03(s):
    """The content of a proposal changes only with its id. Break-glass may repair one not approved."""
    if s.insert or s.changed("AI_Proposal_ID__c"):
        return False
    if s.breaks_glass and s.is_("AI_Decision__c") != "Approved":
        return False
    content = [recommended for recommended, _, _ in s.governed.values()]
    content += [CONFIDENCE[s.object], "AI_Proposal_Expires_At__c"]
    content += ["AI_Proposed_Fields__c"] if s.object == "Opportunity" else []
    review_dropped = s.changed("AI_Requires_Review__c") and not s.is_("AI_Requires_Review__c")
    return s.any_changed(content) or review_dropped


def r04(s):
    """What the gate writes carries the next number and a new mark."""
    if not s.gate or s.insert:
        return False
    stamps = ["AI_Promotion_Seq__c", "AI_Last_Promotion_ID__c", "AI_Promoted_Proposal_ID__c"]
    stamps += [SOURCE[s.object], DATE[s.object]] + [previous for _, previous, _ in s.governed.values()]
    if not s.moved and not s.any_changed(stamps):
        return False
    next_number = (s.was("AI_Promotion_Seq__c") or 0) + 1
    mark = s.is_("AI_Last_Promotion_ID__c")
    return (s.is_("AI_Promotion_Seq__c") or 0) != next_number or not mark or not s.changed("AI_Last_Promotion_ID__c")


def is_void(s):
    return (s.is_("AI_Last_Promotion_ID__c") or "").startswith("void:")


def r05(s):
    """Each changed field still held the value that is stated as previous; a promotion changes something."""
    if not s.gate or s.insert:
        return False
    for field, (_, previous, _) in s.governed.items():
        if (s.changed(field) or s.changed(previous)) and not same(s.was(field), s.is_(previous)):
            return True
    return s.changed("AI_Last_Promotion_ID__c") and not is_void(s) and not s.moved


def same(a, b):
    blank = (None, "")
    return (a in blank and b in blank) or a == b


def r06(s):
    """A promotion states its source and time; a void changes nothing; the gate creates nothing."""
    if not s.gate:
        return False
    if s.insert:
        return True
    date = s.is_(DATE[s.object])
    timed = bool(date) and (s.changed(DATE[s.object]) or s.fresh(date))
    return bool(s.moved) and (s.source in (None, "", "Human") or is_void(s) or not timed)


def carries_proposal(s):
    """The values are those of the proposal on the record, which is named and was not used before."""
    old = s.was("AI_Proposal_ID__c") or ""
    if not old or s.changed("AI_Proposal_ID__c"):
        return False
    if (s.is_("AI_Promoted_Proposal_ID__c") or "") != old or (s.was("AI_Promoted_Proposal_ID__c") or "") == old:
        return False
    named = (s.is_("AI_Proposed_Fields__c") or "").split(";") if s.object == "Opportunity" else []
    named = [field for field in named if field]
    for field in s.moved:
        recommended = s.is_(s.governed[field][0])
        asked = field in named if named else recommended not in (None, "")
        if not asked or not same(s.is_(field), recommended):
            return False
    return True


def r07(s):
    """With an approval: of this proposal, before this save, and with its values."""
    if not s.gate or s.insert or s.source != "AI Proposal" or not s.moved:
        return False
    approved = s.was("AI_Decision__c") == "Approved" and s.was("AI_Decision_Proposal_ID__c") == s.was("AI_Proposal_ID__c")
    return not approved or not carries_proposal(s)


def r08(s):
    """Without an approval: where the switch is on, not rejected, nobody asked for a person."""
    if not s.gate or s.insert or s.source != "AI Auto" or not s.moved:
        return False
    if s.was("AI_Decision__c") == "Rejected" or s.was("AI_Requires_Review__c") or not carries_proposal(s):
        return True
    return any(s.governed[field][2] not in s.switches for field in s.moved)


def r09(s):
    """A rollback restores the stored previous values."""
    if not s.gate or s.insert or s.source != "Rollback":
        return False
    return any(not same(s.is_(field), s.was(s.governed[field][1])) for field in s.moved)


def r10(s):
    """Decay when it is due, on leads only; no reconciliation."""
    if not s.gate or s.insert or not s.moved:
        return False
    if s.source == "Reconciliation":
        return True
    due = s.was("Decay_Eligible_Date__c") if s.object == "Lead" else None
    return s.source == "Decay" and (not due or due > s.today)


def r11(s):
    """Nobody else writes the stamps, but a person's own change may be stamped truly in the same save."""
    if s.gate or s.breaks_glass:
        return False
    own = DAEMONS_OWN + (["Decay_Eligible_Date__c"] if s.object == "Lead" else [])
    change = [DATE[s.object], SOURCE[s.object]] + [previous for _, previous, _ in s.governed.values()]
    if s.insert:
        return any(s.is_(field) not in (None, "", 0) for field in own + change)
    if s.any_changed(own):
        return True
    if not s.any_changed(change):
        return False
    if not s.moved or s.source != "Human" or not s.fresh(s.is_(DATE[s.object])):
        return True
    for field, (_, previous, _) in s.governed.items():
        true = same(s.is_(previous), s.was(field)) if s.changed(field) else not s.changed(previous)
        if not true:
            return True
    return False


def r12(s):
    """A proposal or a decision sets the pending flag."""
    if s.gate or s.breaks_glass or s.is_("AI_Gate_Pending__c") or not s.id:
        return False
    return s.insert or s.any_changed(["AI_Proposal_ID__c", "AI_Decision__c", "AI_Decision_Proposal_ID__c"])


def r13(s):
    """Only the gate clears the flag."""
    cleared = s.changed("AI_Gate_Pending__c") and not s.is_("AI_Gate_Pending__c")
    return cleared and not s.gate and not s.breaks_glass


def r14(s):
    """After the expiry, that on the record or that which is written, nothing is approved or runs by itself."""
    times = [s.time(s.is_("AI_Proposal_Expires_At__c")), s.time(s.was("AI_Proposal_Expires_At__c"))]
    if s.insert or not any(time and time < s.now for time in times):
        return False
    approves = s.is_("AI_Decision__c") == "Approved" and s.any_changed(
        ["AI_Proposal_ID__c", "AI_Decision__c", "AI_Decision_Proposal_ID__c"]
    )
    return approves or (s.gate and s.source == "AI Auto" and bool(s.moved))


def r15(s):
    """Above the limit two people approve; a first approval names its writer and this proposal."""
    if s.object != "Opportunity":
        return False
    by, of = s.is_(FIRST[0]), s.is_(FIRST[1]) or ""
    approves = s.is_("AI_Decision__c") == "Approved" and (
        s.insert or s.any_changed(["AI_Proposal_ID__c", "AI_Decision__c", "AI_Decision_Proposal_ID__c"])
    )
    limit = s.two or 0
    high = limit > 0 and max(s.is_("Amount") or 0, s.is_("AI_Recommended_Amount__c") or 0) > limit
    if approves and high and (not by or by == s.user or of != s.id):
        return True
    writes_first = (s.insert or s.any_changed(FIRST)) and bool(by or of)
    return writes_first and (by != s.user or of != s.id)


def r16(s):
    """On hold nothing is promoted, a rollback excepted; the gate does not touch the hold."""
    if not s.gate or s.insert:
        return False
    if s.any_changed(["AI_Hold_Until__c", "AI_Hold_Reason__c"]):
        return True
    until = s.is_("AI_Hold_Until__c")
    return bool(s.moved) and bool(until) and until >= s.today and s.source != "Rollback"


def r17(s):
    """The reason is written by a break-glass user with no other role, says something and is heard."""
    reason = s.is_("AI_Break_Glass_Reason__c")
    if s.insert:
        return bool(reason)
    if not s.changed("AI_Break_Glass_Reason__c"):
        return False
    return not s.may_break or not reason or not s.is_("AI_Gate_Pending__c")


def r22(s):
    """The gate's words, or its clearing the flag, name the proposal on the record; a promotion names it by 07 and 08."""
    if not s.gate or s.insert or s.moved or s.changed("AI_Last_Promotion_ID__c"):
        return False
    cleared = s.changed("AI_Gate_Pending__c") and not s.is_("AI_Gate_Pending__c")
    return (s.changed("AI_Gate_Outcome__c") or cleared) and (s.is_("AI_Gate_Outcome_Of__c") or "") != s.id


def r23(s):
    """Where the org asks for it, nothing runs by itself that long after the last heartbeat of who writes."""
    if not s.silent or not s.gate or s.insert or not s.moved or s.source not in ("AI Auto", "Decay"):
        return False
    heard = s.time(s.heartbeat)
    return heard is None or not s.now - timedelta(hours=s.silent) <= heard <= s.now + timedelta(hours=1)


RULES = {name[1:]: rule for name, rule in sorted(globals().items()) if name[0] == "r" and name[1:].isdigit()}


def written(value, before, who):
    """The value that a write puts, with the words that hang on the record before."""
    if not isinstance(value, dict):
        return value
    word, of = next(iter(value.items()))
    if word == "saver":
        return who["user"]
    old = (before or {}).get(of)
    return {"was": old, "next": (old or 0) + 1 if word == "next" else None, "edit": f"{old or ''}~a1"}[word]


def codes(matrix, obj, state, write, who):
    part = matrix[obj]
    overlay = part["states"][state]
    base = part["base"]
    before = None if overlay is None else {**base, **{k: v for k, v in overlay.items() if k[0] != "$"}}
    after = {**(before or base), **{k: written(v, before, who) for k, v in part["writes"][write].items()}}
    save = Save(matrix, obj, before, after, who, overlay or {})
    return [number for number, rule in RULES.items() if rule(save)]


def expected(matrix):
    table = {}
    for obj in GOVERNED:
        for write in matrix[obj]["writes"]:
            for state in matrix[obj]["states"]:
                row = [" ".join(codes(matrix, obj, state, write, who)) for who in matrix["who"].values()]
                table.setdefault(obj, {}).setdefault(write, {})[state] = row
    return table


def text(table):
    """For each write: the codes in the order of `who`, parted by `;`, and in which states it is so."""
    objects = []
    for obj, writes in table.items():
        blocks = []
        for write, states in writes.items():
            rows = {}
            for state, row in states.items():
                rows.setdefault(";".join(row), []).append(state)
            said = ",\n".join(f"      {json.dumps(row)}: {json.dumps(names)}" for row, names in rows.items())
            blocks.append(f"    {json.dumps(write)}: {{\n{said}\n    }}")
        objects.append(f"  {json.dumps(obj)}: {{\n" + ",\n".join(blocks) + "\n  }")
    return "{\n" + ",\n".join(objects) + "\n}\n"


def said():
    return text(expected(json.loads((HERE / "matrix.json").read_text())))


def check():
    at = HERE / "matrix_expected.json"
    if not at.exists() or at.read_text() != said():
        sys.exit("matrix_expected.json is not what model.py says: run model.py and look at the difference")


if __name__ == "__main__":
    if "--check" in sys.argv:
        check()
    else:
        (HERE / "matrix_expected.json").write_text(said())

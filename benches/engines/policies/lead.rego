# The lead pack in Rego: block before allow, and everything else is for a person.
package lead

tiers := {"Lead.Status": "autonomous"}

rank := {
	"Open - Not Contacted": 0,
	"Working - Contacted": 1,
	"Closed - Not Converted": 2,
	"Closed - Converted": 3,
}

terminal := {"Closed - Not Converted", "Closed - Converted"}

reserved := {"Closed - Converted"}

default answer := "review"

answer := "block" if {
	block
} else := "allow" if {
	run
}

block if not tiers[input.field]

block if not rank[input.to]

block if reserved[input.to]

block if not rank[input.from]

block if terminal[input.from]

block if {
	rank[input.to] < rank[input.from]
	not terminal[input.to]
}

block if input.from == input.to

block if input.from != input.base

block if input.confidence < 50

block if input.age_on_arrival > 1440

block if input.decision == "rejected"

block if {
	input.decision == "approved"
	not input.same_patch
}

block if {
	input.decision == "approved"
	input.decided_ago > 4320
}

block if {
	not input.decision
	input.waiting > 20160
}

block if input.hold_until >= input.today

run if input.decision == "approved"

run if {
	tiers[input.field] == "autonomous"
	not input.asks_for_review
	input.switch_on
	input.from == "Open - Not Contacted"
	input.to == "Working - Contacted"
	input.confidence >= 90
	input.age <= 1440
}

//! Has too much come in, or run with no person, already?
//!
//! # Refuses
//! - `budget-exceeded`: the budget is spent, and the policy refuses what comes after.
//! - `budget-spent`: the budget is spent; the proposal waits until there is room again.
//! - `budget-needs-person`: the budget is spent, so a person must look.
//! - `budget-unknown`: nobody counted, so a person must look.
//!
//! # Why
//! A rule that is right for one change can be wrong for ten thousand. A budget bounds how far a
//! mistake of an agent or of a rule gets before a person sees it.
//!
//! # Evidence used
//! Counts from the ledger: proposals that came in before this one, and promotions that were started
//! with no person, of the same object, within the budget's minutes.
//!
//! # How to fix
//! - `budget-exceeded`: send fewer proposals, or raise the budget; a new proposal id is needed.
//! - `budget-spent`: wait, or have a person approve.
//! - `budget-needs-person`: have a person approve.
//! - `budget-unknown`: have a person approve. A replay under a candidate with other budgets says
//!   this, because the recorded counts are those of the old ones.
//!
//! # Setting
//! `[[budgets]]` in `config/policies/*.toml`.

use crate::{
    domain::policy::{Budget, CountKey, Spent},
    gate::{
        checks::approval::is_approved,
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// Compares every count with its budget.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let Some(policy) = input.object_policy() else { return };
    let approved = is_approved(input);
    for budget in &policy.budgets {
        for key in budget.keys(input.proposal) {
            compare(input, (budget, &key), approved, findings);
        }
    }
}

fn compare(input: &Input<'_>, (budget, key): (&Budget, &CountKey), approved: bool, findings: &mut Findings) {
    let name = key.name();
    let Some(count) = input.history.counts.get(&name).copied() else {
        if !approved {
            let message = format!("nobody counted {name}");
            findings.add(FindingCode::BudgetUnknown, message, "a person's approval");
        }
        return;
    };
    if count < budget.at_most {
        return;
    }
    let message = format!("{count} {name}, and the budget is {}", budget.at_most);
    match budget.then {
        Spent::Block => findings.add(
            FindingCode::BudgetExceeded,
            message,
            match fewer(budget, &name) {
                Some(fewer) => format!("{fewer}, under a new proposal id"),
                None => "a policy whose budget is above 0, and a new proposal id".to_owned(),
            },
        ),
        Spent::Hold if !approved => findings.add(
            FindingCode::BudgetSpent,
            message,
            match fewer(budget, &name) {
                Some(fewer) => format!("{fewer}, or a person's approval"),
                None => "a person's approval".to_owned(),
            },
        ),
        Spent::Review if !approved => {
            findings.add(FindingCode::BudgetNeedsPerson, message, "a person's approval");
        }
        Spent::Hold | Spent::Review => {}
    }
}

/// What would leave room. A budget of 0 never has any.
fn fewer(budget: &Budget, name: &str) -> Option<String> {
    (!budget.at_most.is_zero()).then(|| format!("fewer than {} {name}", budget.at_most))
}

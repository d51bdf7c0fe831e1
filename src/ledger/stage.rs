//! Which stage may follow which, and which settlement. The tables are the whole truth;
//! nothing else decides it.

use crate::domain::{
    Settlement,
    Stage::{self, *},
};

/// Stages that may follow, by stage. Staying is always allowed.
pub const TRANSITIONS: &[(Stage, &[Stage])] = &[
    (
        Received,
        &[
            AwaitingApproval,
            Approved,
            Promoting,
            Promoted,
            Refused,
            Rejected,
            Stale,
            Expired,
            Superseded,
            Shadow,
        ],
    ),
    (
        AwaitingApproval,
        &[Approved, Promoting, Promoted, Refused, Rejected, Stale, Expired, Superseded, Shadow],
    ),
    // A refused or stale promotion falls back to what the next verdict says.
    (Approved, &[AwaitingApproval, Promoted, Refused, Rejected, Stale, Expired, Superseded, Shadow]),
    (
        Promoting,
        &[AwaitingApproval, Approved, Promoted, Refused, Rejected, Stale, Expired, Superseded, Shadow],
    ),
    (Promoted, &[RolledBack]),
    // Undoing the undo puts it back.
    (RolledBack, &[Promoted]),
    (Refused, &[]),
    (Rejected, &[]),
    (Stale, &[]),
    (Expired, &[]),
    (Superseded, &[]),
    (Shadow, &[]),
];

/// Whether a proposal may go from one stage to another.
pub fn may_follow(from: Stage, to: Stage) -> bool {
    from == to || TRANSITIONS.iter().any(|(stage, next)| *stage == from && next.contains(&to))
}

/// The stage that a proposal has after its promotion was settled so; `None` while the stage
/// stays. That the record carries it is a fact, so it counts whatever was decided meanwhile.
pub fn stage_settled(from: Stage, settlement: &Settlement) -> Option<Stage> {
    let to = match settlement {
        Settlement::Done => return Some(Promoted).filter(|_| from != RolledBack),
        Settlement::Stale { .. } => Stale,
        Settlement::Refused { .. } | Settlement::Gone | Settlement::Conflict { .. } => Refused,
        Settlement::Intended | Settlement::Sent | Settlement::Unknown { .. } | Settlement::Voiding { .. } => {
            return None;
        }
    };
    Some(to).filter(|to| may_follow(from, *to))
}

/// Whether a promotion may be settled as `to` when it stands as `from`.
///
/// What ended stays as it is; `done` may be told twice, since the reply and the echo both tell
/// it. `sent` follows from a send alone. From `unknown` no refusal follows without a void
/// write in between, because an earlier copy may still land.
pub fn settlement_follows(from: &Settlement, to: &Settlement) -> bool {
    match (from, to) {
        (_, Settlement::Sent) => false,
        (Settlement::Unknown { .. }, Settlement::Refused { .. }) => false,
        (Settlement::Done, Settlement::Done) => true,
        _ => !from.is_final(),
    }
}

/// How a promotion stands when a send of it starts; `None` when nothing may be sent any more.
/// A void write is a send too, and leaves it `voiding`.
pub fn when_sent(from: &Settlement) -> Option<Settlement> {
    match from {
        Settlement::Voiding { .. } => Some(from.clone()),
        _ if from.is_final() => None,
        _ => Some(Settlement::Sent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settlements_follow_as_written_here() {
        let text = String::new;
        let all = [
            Settlement::Intended,
            Settlement::Sent,
            Settlement::Unknown { reason: text() },
            Settlement::Done,
            Settlement::Stale { reason: text() },
            Settlement::Refused { code: text(), message: text() },
            Settlement::Voiding { reason: text() },
            Settlement::Gone,
            Settlement::Conflict { mark: text() },
        ];
        let mut table = String::new();
        for from in &all {
            let to = all.iter().filter(|to| settlement_follows(from, to)).map(Settlement::name);
            let sent = when_sent(from).map_or("-", |state| state.name());
            table += &format!("{} ({sent}): {}\n", from.name(), to.collect::<Vec<_>>().join(" "));
        }
        assert_eq!(
            table,
            "intended (sent): intended unknown done stale refused voiding gone conflict\n\
             sent (sent): intended unknown done stale refused voiding gone conflict\n\
             unknown (sent): intended unknown done stale voiding gone conflict\n\
             done (-): done\nstale (-): \nrefused (-): \n\
             voiding (voiding): intended unknown done stale refused voiding gone conflict\n\
             gone (-): \nconflict (-): \n"
        );
    }

    #[test]
    fn every_stage_has_a_row_and_final_stages_stay() {
        for stage in Stage::ALL {
            let rows: Vec<_> = TRANSITIONS.iter().filter(|(from, _)| from == stage).collect();
            assert_eq!(rows.len(), 1, "{stage:?} has one row");
            if stage.is_final() {
                let open: Vec<_> = rows[0].1.iter().filter(|next| !next.is_final()).collect();
                assert!(open.is_empty(), "{stage:?} is final and leads back to {open:?}");
            }
            assert!(may_follow(*stage, *stage));
        }
        assert!(!may_follow(Refused, Promoted));
        assert!(!may_follow(Promoted, AwaitingApproval));
    }
}

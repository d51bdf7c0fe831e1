//! Which stage may follow which. The table is the whole truth; nothing else decides it.

use crate::domain::Stage::{self, *};

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
    (Approved, &[AwaitingApproval, Promoted, Refused, Rejected, Stale, Expired, Superseded]),
    (Promoting, &[AwaitingApproval, Approved, Promoted, Refused, Rejected, Stale, Expired, Superseded]),
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

#[cfg(test)]
mod tests {
    use super::*;

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

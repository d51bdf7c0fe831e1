//! The entries of a page, checked on all cores.

use super::entry::{Checked, Stored, check};

/// Checks a page, in order.
pub(super) fn check_all(mut page: Vec<Stored>) -> Vec<Checked> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = page.len().div_ceil(cores).max(1);
    let mut shares = Vec::with_capacity(cores);
    while !page.is_empty() {
        let rest = page.split_off(share.min(page.len()));
        shares.push(std::mem::replace(&mut page, rest));
    }
    std::thread::scope(|scope| {
        let tasks: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(move || share.into_iter().map(check).collect::<Vec<_>>()))
            .collect();
        tasks.into_iter().flat_map(|task| task.join().expect("checking an entry does not panic")).collect()
    })
}

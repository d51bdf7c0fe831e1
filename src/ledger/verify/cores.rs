//! Work on the entries of a page, on all cores.

/// Does the same with each of them, in order.
pub(super) fn each<T: Send, R: Send>(mut page: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = page.len().div_ceil(cores).max(1);
    let mut shares = Vec::with_capacity(cores);
    while !page.is_empty() {
        let rest = page.split_off(share.min(page.len()));
        shares.push(std::mem::replace(&mut page, rest));
    }
    let work = &work;
    std::thread::scope(|scope| {
        let tasks: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(move || share.into_iter().map(work).collect::<Vec<_>>()))
            .collect();
        tasks.into_iter().flat_map(|task| task.join().expect("the work does not panic")).collect()
    })
}

//! Work on pages, on all cores.

/// How many pages are worked on at a time: one for each core, and one that is ready when a core is
/// done.
pub fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from) + 1
}

/// Works on a page that was read, on one core. Handing parts of a page around costs more than it
/// brings.
pub(super) async fn one<T: Send + 'static, R: Send + 'static>(
    page: Result<T, sqlx::Error>,
    work: impl FnOnce(T) -> Result<R, sqlx::Error> + Send + 'static,
) -> Result<R, sqlx::Error> {
    let page = page?;
    let done = tokio::task::spawn_blocking(move || work(page)).await;
    done.map_err(|error| sqlx::Error::Protocol(error.to_string()))?
}

/// Does the same with each entry of a page, in order.
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

//! Work on pages, on all cores.

use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{Stream, StreamExt as _};
use tokio::{
    sync::{mpsc, oneshot},
    task::spawn_blocking,
};

/// How many pages are worked on at a time: one for each core, and one that is ready when a core is
/// done.
pub fn at_once() -> usize {
    cores() + 1
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A page, and where to send what was made of it.
type Job<P, R> = (P, oneshot::Sender<Result<R, sqlx::Error>>);

/// Works on each page that is read, on all cores; what was made of them goes into `state`, in their order, on
/// a thread of its own. Reading goes on meanwhile; no more than [`at_once`] pages wait to be taken.
///
/// Ends at the first error, after all that came before it. `told` is called after each page that was read.
pub(super) async fn in_order<P, R, S>(
    pages: impl Stream<Item = Result<P, sqlx::Error>>,
    work: impl Fn(P) -> Result<R, sqlx::Error> + Clone + Send + 'static,
    (mut state, take): (S, impl Fn(&mut S, R) + Send + 'static),
    mut told: impl FnMut(),
) -> (Option<S>, Result<(), sqlx::Error>)
where
    P: Send + 'static,
    R: Send + 'static,
    S: Send + 'static,
{
    let (to_do, jobs) = mpsc::channel::<Job<P, R>>(at_once());
    let (promise, mut promised) = mpsc::channel::<oneshot::Receiver<_>>(at_once());
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..cores() {
        let (jobs, work) = (Arc::clone(&jobs), work.clone());
        spawn_blocking(move || {
            while let Some((page, done)) = next(&jobs) {
                // Nobody waits for it any more where one before it was an error.
                let _ = done.send(work(page));
            }
        });
    }
    let taking = spawn_blocking(move || {
        let mut failed = Ok(());
        while failed.is_ok()
            && let Some(made) = promised.blocking_recv()
        {
            match made.blocking_recv() {
                Ok(Ok(made)) => take(&mut state, made),
                Ok(Err(error)) => failed = Err(error),
                Err(_) => failed = Err(sqlx::Error::Protocol("a page could not be worked on".into())),
            }
        }
        (state, failed)
    });
    let (mut pages, mut read) = (pin!(pages), Ok(()));
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                read = Err(error);
                break;
            }
        };
        let (done, made) = oneshot::channel();
        // Refused after an error, which comes back below.
        if promise.send(made).await.is_err() || to_do.send((page, done)).await.is_err() {
            break;
        }
        told();
    }
    drop((promise, to_do));
    match taking.await {
        Ok((state, made)) => (Some(state), made.and(read)),
        Err(panic) => (None, Err(sqlx::Error::Protocol(panic.to_string()))),
    }
}

fn next<T>(queue: &Mutex<mpsc::Receiver<T>>) -> Option<T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv()
}

/// Does the same with each entry of a page, in order.
pub(super) fn each<T: Send, R: Send>(mut page: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let share = page.len().div_ceil(cores()).max(1);
    let mut shares = Vec::with_capacity(cores());
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

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use futures::stream;

    use super::*;

    fn pages(all: Vec<Result<u64, sqlx::Error>>) -> impl Stream<Item = Result<u64, sqlx::Error>> {
        stream::iter(all)
    }

    /// The first ones take longest.
    fn slowly(page: u64) -> u64 {
        std::thread::sleep(Duration::from_millis(8_u64.saturating_sub(page)));
        page
    }

    fn list() -> (Vec<u64>, impl Fn(&mut Vec<u64>, u64) + Send + 'static) {
        (Vec::new(), |all: &mut Vec<u64>, made| all.push(made))
    }

    #[tokio::test]
    async fn what_is_made_of_pages_comes_in_their_order() {
        let all: Vec<u64> = (0..100).collect();
        let mut told = 0;
        let read = pages(all.iter().copied().map(Ok).collect());
        let (made, ended) = in_order(read, |page| Ok(slowly(page)), list(), || told += 1).await;
        assert_eq!((made, ended.is_ok(), told), (Some(all), true, 100));
    }

    #[tokio::test]
    async fn an_error_ends_it_after_all_that_came_before() {
        let all = (0..5).map(Ok).chain([Err(sqlx::Error::RowNotFound), Ok(6)]);
        let (made, ended) = in_order(pages(all.collect()), |page| Ok(slowly(page)), list(), || {}).await;
        assert_eq!(made, Some((0..5).collect()));
        assert!(matches!(ended, Err(sqlx::Error::RowNotFound)), "{ended:?}");

        let work = |page| if page == 5 { Err(sqlx::Error::PoolTimedOut) } else { Ok(slowly(page)) };
        let all = (0..5).chain(5..1000).map(Ok).chain([Err(sqlx::Error::RowNotFound)]);
        let (made, ended) = in_order(pages(all.collect()), work, list(), || {}).await;
        assert_eq!(made, Some((0..5).collect()));
        assert!(matches!(ended, Err(sqlx::Error::PoolTimedOut)), "{ended:?}");
    }

    #[tokio::test]
    async fn work_that_panics_is_an_error_wherever_it_does() {
        let work = |page: u64| Ok(u64::MAX / (page ^ 3));
        let (made, ended) = in_order(pages((0..9).map(Ok).collect()), work, list(), || {}).await;
        assert_eq!(made.map(|made| made.len()), Some(3));
        assert!(ended.is_err());
        let take = |_: &mut u64, made: u64| assert_ne!(made, 3, "a test");
        let (made, ended) = in_order(pages((0..9).map(Ok).collect()), Ok, (0, take), || {}).await;
        assert!(made.is_none() && ended.is_err());
    }

    #[tokio::test]
    async fn it_does_not_read_far_ahead() {
        let (taken, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (seen, high) = (Arc::clone(&taken), Arc::clone(&most));
        let ahead = (0..200).map(move |page: usize| {
            high.fetch_max(page - seen.load(Ordering::SeqCst).min(page), Ordering::SeqCst);
            Ok(page)
        });
        let take = move |_: &mut (), _| {
            std::thread::sleep(Duration::from_millis(1));
            taken.fetch_add(1, Ordering::SeqCst);
        };
        let (_, ended) = in_order(stream::iter(ahead), Ok, ((), take), || {}).await;
        assert!(ended.is_ok());
        // As many as wait to be taken, the one that is being taken, and the one that is read.
        let most = most.load(Ordering::SeqCst);
        assert!((1..=at_once() + 3).contains(&most), "{most}");
    }
}

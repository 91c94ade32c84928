//! Waiting for many operations at once, without a poll for each.
//!
//! The operations of one workspace are a [`Group`]: it reads the workspace's list once per interval and
//! shows each operation its row. All groups go on side by side within one future; what bounds them is
//! the number of requests in flight.

mod group;

use self::group::Group;
use super::display::{Observer, TICK, Tally};
use super::driver::{Driver, deadline};
use super::wait::WaitOptions;
use crate::transport::limits::many;
use futures::stream::{FuturesUnordered, StreamExt};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use url::Url;

/// The common state of all groups of a wait.
struct Common {
    floor: Duration,
    deadline: Option<Instant>,
    reads: Semaphore,
    lists: Semaphore,
    doubtful: Semaphore,
    /// `true` if there are so many workspaces that their first reads are spread.
    crowded: bool,
    watch: Mutex<Watch>,
}

struct Watch {
    observer: Observer,
    tally: Tally,
}

impl Common {
    /// Waits until there is room for a request; the room is given back when what comes is dropped.
    async fn room(&self, list: bool, doubtful: bool) -> [Option<SemaphorePermit<'_>>; 2] {
        // `ok`: none of them is ever closed.
        match (list, doubtful) {
            (_, true) => [self.doubtful.acquire().await.ok(), None],
            (false, false) => [self.reads.acquire().await.ok(), None],
            (true, false) => {
                let list = self.lists.acquire().await.ok();
                [list, self.reads.acquire().await.ok()]
            }
        }
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until each has ended or the deadline has passed; then [`Driver::report`] gives each end.
///
/// All state is in the drivers and changes only after a complete answer: if it is dropped, the wait has
/// lost nothing.
pub(crate) async fn wait_all(drivers: Vec<&mut Driver>, options: &WaitOptions) {
    type Place = (usize, Option<(Url, &'static str)>);
    let mut groups: HashMap<Place, Vec<&mut Driver>> = HashMap::new();
    let all = drivers.len();
    for driver in drivers {
        driver.begin(options);
        let client = Arc::as_ptr(driver.client()) as usize;
        groups
            .entry((client, driver.list()))
            .or_default()
            .push(driver);
    }
    let common = Common {
        floor: options.floor(),
        deadline: deadline(options),
        reads: Semaphore::new(many::READS),
        lists: Semaphore::new(many::LISTS),
        doubtful: Semaphore::new(many::DOUBTFUL),
        crowded: groups.len() > 1,
        watch: Mutex::new(Watch {
            observer: options.observer(),
            tally: Tally {
                all,
                done: 0,
                failed: 0,
                lost: 0,
                trouble: None,
                began: Instant::now(),
            },
        }),
    };
    let mut running: FuturesUnordered<_> = groups
        .into_iter()
        .map(|((_, list), drivers)| Group::new(&common, list, drivers).run())
        .collect();
    let live = common.watch().observer.is_live();
    loop {
        tokio::select! {
            biased;
            ended = running.next() => match ended {
                Some(()) => {}
                None => break,
            },
            () = tokio::time::sleep(TICK), if live => common.watch().observer.redraw(),
        }
    }
    let Watch { observer, tally } = &mut *common.watch();
    tally.trouble = None;
    observer.end_of_all(tally);
}

#[cfg(test)]
mod tests {
    use super::super::driver::list_of;
    use super::*;

    #[test]
    fn list_of_a_compute_is_found_and_that_of_anything_else_is_not() {
        let list = |url: &str| list_of(&Url::parse(url).unwrap(), "computes").map(String::from);
        assert_eq!(
            list("https://h/workspaces/w/computes/a%20b?api-version=1").as_deref(),
            Some("https://h/workspaces/w/computes?api-version=1")
        );
        assert_eq!(list("https://h/workspaces/w?api-version=1"), None);
        assert_eq!(list("https://h/"), None);
    }
}

//! The operations of one workspace.

use super::Common;
use crate::error::{Error, ErrorKind, is_passing};
use crate::json::RowPage;
use crate::operation::driver::{Driver, Reading, chance, tell_lag};
use crate::operation::schedule::{Pace, Schedule};
use crate::operation::step::Step;
use crate::transport::limits::{failures, many, polls::LAST_READ};
use crate::transport::{Answer, HttpRequest, Limit, Next, Sending, ServiceClient, Trail, follow};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// The operations of one workspace, and the list that shows them.
pub(super) struct Group<'a> {
    common: &'a Common,
    client: Arc<ServiceClient>,
    members: Vec<Member<'a>>,
    /// Names in lower case, sorted, with the place of the member.
    names: Vec<(Box<str>, usize)>,
    left: usize,
    list: List,
    /// Members that are read by themselves, by the time of the read.
    queue: BinaryHeap<Reverse<(Instant, usize)>>,
    /// No read that a list asks for is due earlier.
    slot: Instant,
    health: Health,
    /// `true` if the deadline has passed: the last reads are made.
    closing: bool,
}

struct Member<'a> {
    /// Away while it is being read.
    driver: Option<&'a mut Driver>,
    /// When it is read by itself, if it is.
    due: Option<Instant>,
    /// The round of the list in which its row was seen last.
    round: u32,
    /// When it was read by itself last, or the wait began.
    looked: Instant,
    over: bool,
}

struct List {
    /// `None` where operations are read one by one.
    url: Option<Url>,
    /// The word for what is in it.
    what: &'static str,
    schedule: Schedule,
    due: Instant,
    request_id: String,
    trail: Trail,
    round: u32,
    pages: usize,
    /// `true` if the last answer was throttled.
    throttled: bool,
    failures: u32,
    failing_since: Option<Instant>,
}

/// Failed reads in a row, over all members.
#[derive(Default)]
struct Health {
    failures: u32,
    failing_since: Option<Instant>,
}

type Page = (Url, Result<Answer, Error>);

impl<'a> Group<'a> {
    pub(super) fn new(
        common: &'a Common,
        list: Option<(Url, &'static str)>,
        drivers: Vec<&'a mut Driver>,
    ) -> Self {
        let now = Instant::now();
        let mut names: Vec<(Box<str>, usize)> = drivers
            .iter()
            .enumerate()
            .map(|(place, driver)| (driver.target().to_ascii_lowercase().into(), place))
            .collect();
        names.sort_unstable();
        // The service's own pace, where it gave one: that of the operation that goes fastest.
        let hint = drivers
            .iter()
            .filter_map(|driver| driver.hint())
            .min()
            .map(|hint| hint.max(many::LIST_FLOOR));
        let mut schedule = Schedule::new();
        schedule.set_floor(common.floor);
        let mut due = now + schedule.delay(Pace::Regular { hint }, chance());
        // Where nothing is pending the list decides at once.
        if drivers.iter().any(|driver| driver.machine().judges()) {
            due = now;
        }
        if common.crowded && hint.is_none() {
            due += many::FIRST_SPREAD.mul_f64(chance());
        }
        // One operation alone is cheaper at its monitor.
        let alone = drivers.len() == 1;
        let client = drivers[0].client().clone();
        let members: Vec<Member<'a>> = drivers
            .into_iter()
            .map(|driver| Member {
                driver: Some(driver),
                due: None,
                round: 0,
                looked: now,
                over: false,
            })
            .collect();
        Self {
            common,
            client,
            left: members.len(),
            members,
            names,
            list: List {
                what: list.as_ref().map_or("", |(_, what)| *what),
                url: list.map(|(url, _)| url).filter(|_| !alone),
                schedule,
                due,
                request_id: String::new(),
                trail: Trail::default(),
                round: 0,
                pages: 0,
                throttled: false,
                failures: 0,
                failing_since: None,
            },
            queue: BinaryHeap::new(),
            slot: now,
            health: Health::default(),
            closing: false,
        }
    }

    pub(super) async fn run(mut self) {
        self.begin();
        let mut reads = FuturesUnordered::new();
        let mut page: Option<BoxFuture<'a, Page>> = None;
        loop {
            let now = Instant::now();
            self.close(now);
            while let Some((place, due, driver)) = self.next_read(reads.len(), now) {
                reads.push(read(self.common, place, due, driver));
            }
            if page.is_none() && self.is_list_due(now) {
                page = self.sweep();
            }
            if self.left == 0 || (reads.is_empty() && page.is_none() && self.is_idle()) {
                return;
            }
            let wake = self.wake(reads.len(), page.is_some());
            tokio::select! {
                biased;
                Some((place, driver, reading)) = reads.next(), if !reads.is_empty() => {
                    self.returned(place, driver, reading);
                }
                (url, answer) = read_page(&mut page) => {
                    page = self.listed(&url, answer);
                }
                () = sleep_until(wake) => {}
            }
            if self.closing
                && self
                    .common
                    .deadline
                    .is_some_and(|at| Instant::now() >= at + LAST_READ)
            {
                return;
            }
        }
    }

    /// Finds the operations that have already ended, and those that need a read of their own.
    fn begin(&mut self) {
        for place in 0..self.members.len() {
            let Some(driver) = &self.members[place].driver else {
                continue;
            };
            if driver.is_over() || driver.due().is_none() {
                self.end(place);
            } else if self.list.url.is_none() {
                // At the pace that it has.
                let due = driver.due();
                self.enqueue(place, due);
            } else if !driver.machine().follows_rows() {
                let due = self.spread();
                self.enqueue(place, Some(due));
            }
        }
        self.tell(None);
    }

    /// Begins the last reads once the deadline has passed.
    fn close(&mut self, now: Instant) {
        let Some(deadline) = self.common.deadline else {
            return;
        };
        if self.closing || now < deadline {
            return;
        }
        self.closing = true;
        self.slot = now;
        self.queue.clear();
        for place in 0..self.members.len() {
            let member = &mut self.members[place];
            let queued = member.due.take().is_some();
            let own = queued || self.list.url.is_none();
            let Some(driver) = &member.driver else {
                continue;
            };
            // A service that throttles is not read earlier, even at the end.
            if own && !member.over && !driver.is_throttled() {
                self.enqueue(place, Some(deadline));
            }
        }
        self.list.due = deadline;
        if self.list.throttled {
            self.list.url = None;
        }
    }

    /// Returns whether nothing is left to do, and the remaining operations stay without an end.
    fn is_idle(&self) -> bool {
        self.closing && self.queue.is_empty() && self.list.url.is_none()
    }

    /// Returns when there is something to do next, if no answer comes before.
    fn wake(&self, reading: usize, listing: bool) -> Option<Instant> {
        let room = reading + usize::from(self.list.url.is_some()) < many::OF_A_WORKSPACE;
        let read = self.queue.peek().map(|Reverse((due, _))| *due);
        let list = self.list.url.as_ref().map(|_| self.list.due);
        let deadline = self.common.deadline.map(|deadline| match self.closing {
            false => deadline,
            true => deadline + LAST_READ,
        });
        let read = read.filter(|_| room);
        let list = list.filter(|_| !listing);
        [read, list, deadline].into_iter().flatten().min()
    }
}

/// Reads of one operation.
impl<'a> Group<'a> {
    fn enqueue(&mut self, place: usize, due: Option<Instant>) {
        let member = &mut self.members[place];
        // What is there already is earlier, or paced by a failure.
        if member.due.is_none()
            && let Some(due) = due
        {
            member.due = Some(due);
            self.queue.push(Reverse((due, place)));
        }
    }

    /// Returns when the next read that a list asks for is due: reads are spread over an interval.
    fn spread(&mut self) -> Instant {
        let now = Instant::now();
        let due = self.slot.max(now);
        if !self.closing {
            let members = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
            let within = self.list.schedule.regular().max(many::LIST_FLOOR) / members.max(1);
            self.slot = due + many::SPACING.min(within);
        }
        due
    }

    /// Returns the member whose read is due, if there is room for it.
    fn next_read(
        &mut self,
        reading: usize,
        now: Instant,
    ) -> Option<(usize, Instant, &'a mut Driver)> {
        let room = many::OF_A_WORKSPACE - usize::from(self.list.url.is_some());
        if reading >= room {
            return None;
        }
        loop {
            let Reverse((due, place)) = *self.queue.peek()?;
            if due > now {
                return None;
            }
            self.queue.pop();
            let member = &mut self.members[place];
            // Cancelled, or rescheduled.
            if member.due != Some(due) {
                continue;
            }
            member.due = None;
            if let Some(driver) = member.driver.take() {
                // Before the read, which plans the next one.
                driver.schedule().go_on_from(&self.list.schedule);
                member.looked = now;
                return Some((place, due, driver));
            }
        }
    }

    fn returned(&mut self, place: usize, driver: &'a mut Driver, reading: Reading) {
        let due = driver.due();
        let regular = !driver.is_backing_off();
        let rows = self.list.url.is_some() && driver.machine().follows_rows() && regular;
        self.tell_one(driver);
        self.members[place].driver = Some(driver);
        match due {
            None => self.end(place),
            Some(_) if rows => {}
            Some(_) if self.closing => {
                // Only the last reads: of a result, or a probe.
                let belongs = due.is_some_and(|due| due <= Instant::now());
                if belongs {
                    self.enqueue(place, due);
                }
            }
            Some(_) => self.enqueue(place, due),
        }
        self.judge(reading);
    }

    /// Gives up a workspace as a whole if nothing in it can be read any more.
    fn judge(&mut self, reading: Reading) {
        let Reading::Failed(facts) = reading else {
            self.health = Health::default();
            return;
        };
        // A pause that the service asks for does not count as silence.
        if facts.retry_after.is_some() {
            return;
        }
        let now = Instant::now();
        let health = &mut self.health;
        health.failures += 1;
        let since = *health.failing_since.get_or_insert(now);
        // While the list can be read the service is there, and each operation counts for itself.
        let one_by_one = self.list.url.is_none() && self.members.len() > 1;
        let spent = health.failures > failures::IN_A_ROW && now - since > failures::FOR;
        if !one_by_one || !spent {
            return;
        }
        for place in 0..self.members.len() {
            let member = &mut self.members[place];
            if let (false, Some(driver)) = (member.over, &mut member.driver) {
                let why = "nothing could be read of the workspace any more";
                driver.lose(why, (*facts).clone());
                self.end(place);
            }
        }
    }

    fn end(&mut self, place: usize) {
        let member = &mut self.members[place];
        if std::mem::replace(&mut member.over, true) {
            return;
        }
        member.due = None;
        self.left -= 1;
        let Some(driver) = &member.driver else {
            return;
        };
        let error = driver.failure();
        let mut watch = self.common.watch();
        let super::Watch { observer, tally } = &mut *watch;
        match &error {
            Some(error) if error.may_still_run() => tally.lost += 1,
            // It has succeeded all the same.
            Some(error) if error.kind() == ErrorKind::ResultUnavailable => tally.done += 1,
            Some(_) => tally.failed += 1,
            None => tally.done += 1,
        }
        if let Some(error) = &error {
            observer.failure(&driver.progress(), error);
        }
        if observer.calls() {
            observer.call(&driver.progress());
        }
    }
}

/// Reads of the list.
impl<'a> Group<'a> {
    fn is_list_due(&self, now: Instant) -> bool {
        self.list.url.is_some() && self.list.due <= now
    }

    /// Begins to read the list from its start.
    fn sweep(&mut self) -> Option<BoxFuture<'a, Page>> {
        let list = &mut self.list;
        let url = list.url.clone()?;
        list.round += 1;
        list.pages = 0;
        list.request_id = azure_core::Uuid::new_v4().into();
        list.trail = Trail::default();
        let due = list.due;
        self.fetch(url, Some(due))
    }

    fn fetch(&mut self, url: Url, due: Option<Instant>) -> Option<BoxFuture<'a, Page>> {
        if let Err(error) = self.list.trail.step(&url) {
            self.unlisted(Err(error));
            return None;
        }
        let (common, client) = (self.common, self.client.clone());
        let request = HttpRequest::get(url).request_id(Some(self.list.request_id.clone()));
        let timeout = self.common.deadline.map(|deadline| {
            let left = (deadline + LAST_READ).saturating_duration_since(Instant::now());
            client.timeout().min(left)
        });
        let doubtful = self.list.failures > 0;
        let page = async move {
            let _room = common.room(true, doubtful).await;
            if let Some(due) = due {
                tell_lag(due);
            }
            let answer = client
                .send(&request, Sending::Once, Limit::PAGE, timeout)
                .await;
            (request.url, answer)
        };
        Some(page.boxed())
    }

    /// Shows the members their rows; gives the next page.
    fn listed(&mut self, url: &Url, answer: Result<Answer, Error>) -> Option<BoxFuture<'a, Page>> {
        let answer = match answer {
            Ok(answer) if answer.is_success() => answer,
            other => {
                self.unlisted(other);
                return None;
            }
        };
        let next = match serde_json::from_slice::<RowPage<'_>>(answer.text()) {
            Ok(page) => {
                self.show(&page);
                follow(&self.client, url, page.next_link.as_deref())
            }
            Err(_) => Err(Error::new(ErrorKind::Protocol, "the list cannot be read")),
        };
        self.list.pages += 1;
        self.go_on(next, &answer)
    }

    fn go_on(&mut self, next: Next, answer: &Answer) -> Option<BoxFuture<'a, Page>> {
        match next {
            // More pages than operations are not worth it, and there might be no end to them.
            Ok(Some(_)) if self.list.pages > self.left => {
                self.one_by_one();
                None
            }
            Ok(Some(url)) => self.fetch(url, None),
            Ok(None) => {
                self.swept(answer.retry_after());
                None
            }
            Err(error) => {
                self.unlisted(Err(error));
                None
            }
        }
    }

    fn show(&mut self, page: &RowPage<'_>) {
        let mut name = String::new();
        for row in page.rows() {
            name.clear();
            name.push_str(&row.name);
            name.make_ascii_lowercase();
            let first = self.names.partition_point(|(own, _)| **own < *name);
            for at in first..self.names.len() {
                let (own, place) = &self.names[at];
                if **own != *name {
                    break;
                }
                let place = *place;
                let member = &mut self.members[place];
                member.round = self.list.round;
                if let (false, Some(driver)) = (member.over, &mut member.driver) {
                    let step = driver.show(Some(&row));
                    self.shown(place, step);
                }
            }
        }
    }

    /// Takes the step that follows from a row or its absence.
    fn shown(&mut self, place: usize, step: Step) {
        match step {
            Step::Done => self.end(place),
            Step::Read(_) if self.members[place].due.is_none() => {
                let due = self.spread();
                self.enqueue(place, Some(due));
            }
            Step::Read(_) => {}
            Step::Watch => {
                let member = &mut self.members[place];
                let follows = |driver: &&mut Driver| driver.machine().follows_rows();
                if member.driver.as_ref().is_some_and(follows) {
                    member.due = None;
                }
            }
        }
    }

    /// Ends a round of the list: operations without a row are missing.
    fn swept(&mut self, hint: Option<Duration>) {
        for place in 0..self.members.len() {
            let member = &mut self.members[place];
            if member.round == self.list.round || member.over {
                continue;
            }
            if let Some(driver) = &mut member.driver {
                let step = driver.show(None);
                self.shown(place, step);
            }
        }
        let list = &mut self.list;
        list.failures = 0;
        list.failing_since = None;
        list.throttled = false;
        self.health = Health::default();
        if self.closing {
            list.url = None;
        } else {
            let hint = hint.map(|hint| hint.max(many::LIST_FLOOR));
            self.pause(Pace::Regular { hint });
            // A few operations in a large workspace are cheaper one by one.
            if self.left < self.list.pages {
                self.one_by_one();
            } else {
                self.look_at_the_longest();
            }
        }
        self.tell(None);
    }

    /// Reads one operation whose row has shown it as running for very long: a list that does not learn
    /// of an end would else hide it for ever.
    fn look_at_the_longest(&mut self) {
        let now = Instant::now();
        let followed =
            |member: &&Member<'_>| !member.over && member.due.is_none() && member.driver.is_some();
        let longest = self
            .members
            .iter()
            .enumerate()
            .filter(|(_, member)| followed(member))
            .min_by_key(|(_, member)| member.looked)
            .filter(|(_, member)| now - member.looked > many::ROW_BELIEVED)
            .map(|(place, _)| place);
        if let Some(place) = longest {
            let due = self.spread();
            self.enqueue(place, Some(due));
        }
    }

    /// Handles a list that cannot be read, for now or for good.
    fn unlisted(&mut self, answer: Result<Answer, Error>) {
        let (passing, status, hint) = match &answer {
            Ok(answer) => (
                // A refused later page is a link that went stale.
                is_passing(answer.status) || self.list.pages > 0,
                Some(answer.status),
                answer.retry_after(),
            ),
            Err(error) => (true, error.http_status(), error.retry_after()),
        };
        let now = Instant::now();
        let list = &mut self.list;
        list.throttled = matches!(status, Some(429 | 503));
        tracing::debug!(
            list.what,
            status,
            passing,
            "a list of operations could not be read"
        );
        if self.closing {
            list.url = None;
            return;
        }
        let trouble = match &answer {
            Ok(answer) => format!(
                "the list of {} cannot be read for now ({})",
                list.what, answer.status
            ),
            Err(error) => error.to_string(),
        };
        if list.throttled && hint.is_some() {
            self.pause(Pace::Throttled { hint });
            self.tell(Some(&trouble));
            return;
        }
        list.failures += 1;
        let since = *list.failing_since.get_or_insert(now);
        if !passing || list.failures > failures::IN_A_ROW || now - since > failures::FOR {
            self.one_by_one();
            return;
        }
        let failures = list.failures;
        self.pause(Pace::Backoff { failures, hint });
        self.tell(Some(&trouble));
    }

    fn pause(&mut self, pace: Pace) {
        let list = &mut self.list;
        list.due = Instant::now() + list.schedule.delay(pace, chance());
    }

    /// Stops reading the list: each operation is read by itself, at the interval of the list.
    fn one_by_one(&mut self) {
        self.list.url = None;
        self.health = Health::default();
        self.common.watch().tally.trouble = None;
        let interval = self.list.schedule.regular();
        let waiting: Vec<usize> = (0..self.members.len())
            .filter(|place| {
                let member = &self.members[*place];
                !member.over && member.driver.is_some() && member.due.is_none()
            })
            .collect();
        let (now, all) = (Instant::now(), waiting.len());
        for (nth, place) in waiting.into_iter().enumerate() {
            let share = (nth + 1) as f64 / all as f64;
            self.enqueue(place, Some(now + interval.mul_f64(share)));
        }
    }
}

/// Reports to the observers.
impl Group<'_> {
    /// Reports each running operation before a pause; with the reason if the list could not be read.
    fn tell(&self, trouble: Option<&str>) {
        let mut watch = self.common.watch();
        let super::Watch { observer, tally } = &mut *watch;
        tally.trouble = trouble.map(str::to_owned);
        observer.tally(tally);
        if !observer.calls() || self.list.url.is_none() {
            return;
        }
        let next = self.list.due.saturating_duration_since(Instant::now());
        for member in &self.members {
            if let (false, Some(driver)) = (member.over, &member.driver) {
                let mut progress = driver.progress();
                progress.next_delay = next;
                if progress.last_error.is_none() {
                    let hidden = driver.machine().hidden();
                    progress.last_error = trouble.map(|trouble| hidden.text(trouble).into_owned());
                }
                observer.call(&progress);
            }
        }
    }

    /// Reports one operation after its read, if a pause follows.
    fn tell_one(&self, driver: &Driver) {
        let mut watch = self.common.watch();
        if watch.observer.calls() && self.list.url.is_none() && driver.due().is_some() {
            watch.observer.call(&driver.progress());
        }
        // Elsewhere than on a terminal a line for each of a thousand ends would be too much.
        if watch.observer.is_live() {
            let super::Watch { observer, tally } = &mut *watch;
            observer.tally(tally);
        }
    }
}

async fn read<'a>(
    common: &Common,
    place: usize,
    due: Instant,
    driver: &'a mut Driver,
) -> (usize, &'a mut Driver, Reading) {
    let _room = common.room(false, driver.is_backing_off()).await;
    let reading = driver.read(due, common.deadline).await;
    (place, driver, reading)
}

/// Waits for the page that is being read; never returns if there is none.
async fn read_page(page: &mut Option<BoxFuture<'_, Page>>) -> Page {
    match page {
        Some(page) => page.await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

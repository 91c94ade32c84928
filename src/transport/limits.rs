//! Every number that bounds what this library sends, waits for and keeps: one module for each thing that
//! is bounded.
//!
//! Numbers that are a fact of a format or of a service's validation stay with their check, and so do those
//! of `error` and of the settings of resources, which may not use this module (`docs/internals/architecture.md`).
//! A test compares `docs/operations.md` with the numbers that it names.

use std::time::Duration;

/// A GET that a caller waits for, which is repeated on its own.
pub(crate) mod reads {
    use super::Duration;

    /// How often one read goes out, for all reasons together: a passing status, a broken connection, a body
    /// that broke off, a refused token. A caller waits for it, and can repeat what may pass
    /// (`Error::is_transient`). A caller's own `RetryOptions` replace this within one exchange.
    pub(crate) const SENDS: u32 = 4;
    /// How many of these may end in a body that broke off, also in [`blobs`](super::blobs). Fewer, because
    /// nothing is waited for in between: of a single one hardly anything is lost.
    pub(crate) const BODIES: u32 = 3;
    /// The pause before the first repetition; each further one doubles. With [`SENDS`] they add up to less
    /// than three seconds.
    pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(400);
    /// No pause between two sends of one request is longer, also in [`blobs`](super::blobs): a longer wait is
    /// the caller's decision.
    pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(10);
}

/// One call, whatever it sends.
pub(crate) mod calls {
    use super::Duration;

    /// The time of one request with all its repetitions: above ARM's own limit of a minute or so, with room
    /// for one pause of [`throttle::PATIENCE`](super::throttle::PATIENCE).
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(100);
    /// The time for a connection: all sends of a read fit into [`TIMEOUT`], also where no host answers.
    #[cfg(any(feature = "rustls", feature = "native_tls"))]
    pub(crate) const CONNECT: Duration = Duration::from_secs(20);
}

/// Bytes of an answer that are read.
pub(crate) mod bodies {
    /// Far above any single resource that ARM gives.
    pub(crate) const RESOURCE: usize = 4 << 20;
    /// A page of 1,000 computes takes 1.6 MB (`docs/internals/performance.md`); ARM caps pages far below this.
    pub(crate) const PAGE: usize = 32 << 20;
    /// The VM sizes of all regions take 60 MB. The list is decoded while it arrives, and never in memory as a
    /// whole.
    pub(crate) const SIZES: usize = 256 << 20;
    /// Logs of a container: 5,000 lines of stack traces and more.
    #[cfg(feature = "services")]
    pub(crate) const LOGS: usize = 32 << 20;
    /// The answer of a deployed service. What its router takes as a request is the best guess at what it may
    /// answer.
    #[cfg(feature = "services")]
    pub(crate) const SCORING: usize = 100 << 20;
    /// A refusal of a deployed service: enough for a reason.
    #[cfg(feature = "services")]
    pub(crate) const REFUSAL: usize = 64 << 10;
}

/// Lists of the service.
pub(crate) mod lists {
    use super::Duration;

    /// Pages of one list. ARM's pages have up to 1,000 items and a workspace at most a few thousand computes,
    /// models or services; what goes on beyond this has no end, and its items would fill the memory.
    pub(crate) const PAGES: u64 = 10_000;
    /// Files of one download. With its signed URL each takes about 1 kB until all are named, and a model of so
    /// many files would take days at one request for each.
    #[cfg(feature = "services")]
    pub(crate) const FILES: u64 = 100_000;
    /// How long many resumed operations wait for the list of computes; what it has not shown by then is read
    /// by itself. The time of one call, because the list only saves calls.
    pub(crate) const RESUMED: Duration = super::calls::TIMEOUT;
}

/// Values that are read once and used again for a while.
pub(crate) mod kept {
    use super::Duration;

    /// The VM sizes of a region: what a region offers, and what a subscription may use, changes by the week.
    pub(crate) const SIZES: Duration = Duration::from_secs(3600);
    /// The age of quota, policies and permissions that a preflight uses again: long enough for several preflights of one script,
    /// and short enough that a change is seen by whoever made it.
    pub(crate) const MOMENT: Duration = Duration::from_secs(60);
}

/// Texts of the service that are kept or shown, in characters: the service may send anything.
pub(crate) mod texts {
    /// The status of an operation. Known ones have fewer than 20.
    pub(crate) const STATUS: usize = 200;
    /// The start of a body that is not an ARM error, as an error shows it.
    pub(crate) const EXCERPT: usize = 300;
    /// A line of the log of an operation …
    pub(crate) const LOG_LINE: usize = 1_000;
    /// … and how many of them wait to be returned.
    pub(crate) const LOG_LINES: usize = 500;
    /// The longest `x-ms-client-request-id` that is sent. ARM documents no limit; this one keeps the header
    /// small.
    pub(crate) const REQUEST_ID: usize = 128;
}

/// The hints of the service to its callers: `Retry-After`, and the number of reads that are left.
pub(crate) mod throttle {
    use super::Duration;

    /// The longest pause that is believed. ARM's own windows of throttling end within the hour; a longer hint
    /// would make a caller sleep for days, or a point in time overflow.
    pub(crate) const LONGEST: Duration = Duration::from_secs(3600);
    /// How long one call sleeps because of the throttle; beyond it the call fails, and nothing is sent.
    pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
    /// A budget of reads: with fewer left than `scarce`, reads are sent one after the other, and the fewer are left,
    /// the further apart, up to `widest`. The last ones are kept for whoever else uses the subscription.
    #[derive(Debug)]
    pub(crate) struct Budget {
        pub(crate) scarce: u32,
        pub(crate) widest: Duration,
    }

    /// The budget of an hour, 12,000 reads, which regions had until 2024. The service does not say when the hour
    /// ends.
    pub(crate) const OF_AN_HOUR: Budget = Budget {
        scarce: 100,
        widest: Duration::from_secs(1),
    };
    /// How many reads ARM adds to the bucket of a caller each second. The bucket holds 250
    /// (<https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>).
    pub(crate) const REFILL: u32 = 25;
    /// The bucket of one caller: a second's refill is the reserve. At the widest, half of the refill is used.
    pub(crate) const OF_A_CALLER: Budget = Budget {
        scarce: REFILL,
        widest: Duration::from_millis(2000 / REFILL as u64),
    };
    /// The bucket of all callers of a subscription, which is 15 times as large.
    pub(crate) const OF_ALL: Budget = Budget {
        scarce: 15 * REFILL,
        widest: OF_A_CALLER.widest,
    };
    /// Reads that waited for the end of a refusal are so far apart: at the pace of the refill.
    pub(crate) const RELEASE_GAP: Duration = Duration::from_millis(1000 / REFILL as u64);
}

/// The pace at which the status of an operation is read, and for how long.
pub(crate) mod polls {
    use super::Duration;

    /// The shortest pause between two reads, and the default of `WaitOptions::poll_floor`.
    pub(crate) const FLOOR: Duration = Duration::from_secs(1);
    /// Before the first read, where the service gives no hint: short operations end at once.
    pub(crate) const FIRST: Duration = Duration::from_secs(1);
    /// The pauses without a hint grow from here …
    pub(crate) const BASE: Duration = Duration::from_secs(5);
    /// … by this …
    pub(crate) const GROWTH: f64 = 1.5;
    /// … up to here: of a create, which takes 10 to 20 minutes, that is little.
    pub(crate) const LONGEST: Duration = Duration::from_secs(30);
    /// The longest hint that is believed of an operation that goes on. After 429 and 503 it is
    /// [`throttle::LONGEST`](super::throttle::LONGEST).
    pub(crate) const LONGEST_HINT: Duration = Duration::from_secs(600);
    /// Pauses after a failed read double from a second up to here.
    pub(crate) const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
    /// How long a wait lasts where the caller sets no deadline. A create takes 10 to 20 minutes by the
    /// service's documentation; attaches of more than 100 minutes were reported.
    pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 3600);
    /// The time of the last read, with what belongs to it, once the deadline is there.
    pub(crate) const LAST_READ: Duration = Duration::from_secs(5);
}

/// Reads of a status that fail, until the status counts as lost. The operation itself never fails by them.
pub(crate) mod failures {
    use super::Duration;

    /// Failed reads in a row of one operation, of a list, or of a whole workspace …
    pub(crate) const IN_A_ROW: u32 = 10;
    /// … and for how long. One operation and a list are given up when either is exceeded, a workspace when
    /// both are. A longer outage is for the caller to judge, who has a resume token.
    pub(crate) const FOR: Duration = Duration::from_secs(300);
    /// Answers in a row without a status, or that are not JSON, until the service counts as broken.
    pub(crate) const MUTE: u32 = 3;
    /// 404s in a row, after good reads, that are taken for a replica that lags.
    pub(crate) const NOT_FOUND: u32 = 3;
    /// How long a new operation may take to appear at its monitor, and for how many reads: whichever is longer,
    /// because a hint of 30 seconds would leave only two.
    pub(crate) const GRACE: Duration = Duration::from_secs(60);
    /// See [`GRACE`].
    pub(crate) const GRACE_POLLS: u32 = 5;
    /// Reads of the result of an operation that has succeeded: right after it a 404 may be a replica that lags.
    pub(crate) const RESULT_READS: u32 = 8;
}

/// Waiting for many operations at once, and reading many resources.
pub(crate) mod many {
    use super::Duration;

    /// Requests in flight of one wait. With [`DOUBTFUL`] they are fewer than the 64 connections that such a
    /// wait may open.
    pub(crate) const READS: usize = 48;
    /// Lists among them: the page of each is in memory as a whole.
    pub(crate) const LISTS: usize = 16;
    /// Requests in flight that failed before. Counted apart: a workspace that cannot be reached takes its
    /// time to say so, and must not hold up the others.
    pub(crate) const DOUBTFUL: usize = 12;
    /// Requests in flight of one workspace, the list among them: one workspace must not take all of [`READS`].
    pub(crate) const OF_A_WORKSPACE: usize = 6;
    /// Reads that a list asks for are this far apart: many operations may end at the same moment.
    pub(crate) const SPACING: Duration = Duration::from_millis(10);
    /// The first lists of many workspaces are spread over the pause that follows an unhinted first one.
    pub(crate) const FIRST_SPREAD: Duration = super::polls::BASE;
    /// A list is not read more often than this: it costs the service more than a monitor.
    pub(crate) const LIST_FLOOR: Duration = Duration::from_secs(5);
    /// A row in progress is believed for this long; then, once per interval, one operation is read by itself.
    pub(crate) const ROW_BELIEVED: Duration = Duration::from_secs(30 * 60);
    /// Resources that are read at the same time when many tokens are resumed.
    pub(crate) const RESUMED: usize = OF_A_WORKSPACE;
}

/// Blobs behind signed URLs.
#[cfg(feature = "services")]
pub(crate) mod blobs {
    use super::Duration;
    use std::num::NonZero;

    /// How often one request to the store goes out, for all reasons together. More than
    /// [`reads::SENDS`](super::reads::SENDS): all of them can be repeated, and a transfer that is given up
    /// costs more than one read. A caller's own `RetryOptions` replace this within one exchange.
    pub(crate) const SENDS: u32 = 6;
    /// The pause before the first repetition; each further one doubles, up to
    /// [`reads::LONGEST_PAUSE`](super::reads::LONGEST_PAUSE). Together they take about a quarter of a minute.
    pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(500);
    /// The time of one try: so much …
    const TRY: u64 = 60;
    /// … and as long as the bytes take at this rate. A connection that is gone without a word would hold its
    /// block forever.
    const BYTES_PER_SECOND: u64 = 10_000;
    /// The size of a block, unless the blob would have too many; what is not larger is sent in one piece.
    pub(crate) const BLOCK: u64 = 4 << 20;
    /// The memory of all blocks of one store that are under way.
    pub(crate) const MEMORY: u64 = 32 << 20;
    /// Blocks of one blob at once: as many as [`MEMORY`] holds.
    pub(crate) const PARALLELISM: NonZero<usize> = NonZero::new((MEMORY / BLOCK) as usize).unwrap();
    /// Files that are uploaded or downloaded at the same time. Their blocks share [`MEMORY`].
    pub(crate) const FILES: usize = 4;
    /// Paths for which one request asks for signed URLs (docs/internals/wire.md: Microsoft's client splits there).
    pub(crate) const PATHS: usize = 50;
    /// A signed URL that is refused later than this after it was given may have expired, and a new one is
    /// asked for; before, it is refused for another reason.
    pub(crate) const FRESH_URL: Duration = Duration::from_secs(60);

    /// How long it may take to transfer so many bytes.
    pub(crate) const fn time_for(bytes: u64) -> Duration {
        Duration::from_secs(TRY + bytes / BYTES_PER_SECOND)
    }
}

/// Courtesies around a deployment, which must not hold it up.
#[cfg(feature = "services")]
pub(crate) mod services {
    use super::Duration;

    /// The time for the service's own checks of a request, which it makes anyway when it gets the request.
    pub(crate) const CHECKS: Duration = Duration::from_secs(15);
    /// The time for the logs of a deployment that failed: the failure is returned in any case.
    pub(crate) const LAST_LOGS: Duration = Duration::from_secs(20);
    /// Lines of each of these logs.
    pub(crate) const LAST_LINES: u32 = 100;
    /// Lines of a log that a caller asks for: the default of `azureml-core`.
    pub(crate) const LINES: u32 = 5_000;
}

/// Calls to a deployed service.
#[cfg(feature = "services")]
pub(crate) mod scoring {
    use super::Duration;

    /// How much longer than the service a caller waits, so that the service's answer is heard.
    pub(crate) const GRACE: Duration = Duration::from_secs(40);
    /// The time of one call: above the 60 seconds after which a service gives up by default.
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(60).saturating_add(GRACE);
    /// The longest scoring timeout that a service can have (article on deploying to AKS): a service that
    /// names a longer one is not believed.
    pub(crate) const SERVICE_TIMEOUT: Duration = Duration::from_secs(300);
    /// Repetitions of a call, where the caller asks for them.
    pub(crate) const RETRIES: u32 = 3;
    /// The pause before the first of them is at most this; before each further one at most twice that …
    pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(500);
    /// … up to here.
    pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(10);

    /// How long before its time a credential is replaced, or a tenth of what is left if that is shorter.
    pub(crate) const EARLY: Duration = Duration::from_secs(60);
    /// A new credential is held for so long, whatever the clocks say.
    pub(crate) const HELD: Duration = Duration::from_secs(30);
    /// How long a fetch of a credential may take, with all its repetitions: above
    /// [`calls::TIMEOUT`](super::calls::TIMEOUT).
    pub(crate) const FETCH: Duration = Duration::from_secs(120);
    /// After a fetch that failed, calls that cannot do without share its failure for so long, or for as long
    /// as the service asks, up to [`REST`].
    pub(crate) const SHARED_FAILURE: Duration = Duration::from_secs(1);
    /// So long after a failed fetch there is no new one ahead of time, and so long after a fetch because of a
    /// 401 no new one because of another.
    pub(crate) const REST: Duration = Duration::from_secs(30);
    /// Fetches that one call begins because the runtime of the one before it is gone.
    pub(crate) const LOST_FETCHES: usize = 3;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(duration: Duration) -> String {
        format!("{} s", duration.as_secs_f64())
    }

    fn milliseconds(duration: Duration) -> String {
        format!("{} ms", duration.as_millis())
    }

    fn thousands(number: u64) -> String {
        format!("{},{:03}", number / 1000, number % 1000)
    }

    /// The page, with one space in place of each line break.
    fn page() -> String {
        let page = include_str!("../../docs/operations.md");
        page.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn holds(sentences: &[String]) {
        let page = page();
        for sentence in sentences {
            assert!(
                page.contains(sentence),
                "docs/operations.md lacks: {sentence}"
            );
        }
    }

    #[test]
    fn operations_page_names_the_limits_of_waiting() {
        holds(&[
            format!(
                "A new monitor has {} and {} polls to appear",
                seconds(failures::GRACE),
                failures::GRACE_POLLS
            ),
            format!("later, {} 404s in a row", failures::NOT_FOUND),
            format!(
                "{} in a row, for at most {}",
                failures::IN_A_ROW,
                seconds(failures::FOR)
            ),
            format!("{} answers in a row without a status", failures::MUTE),
            format!(
                "They count from {} to {}, after 429 and 503 to {}",
                seconds(polls::FLOOR),
                seconds(polls::LONGEST_HINT),
                seconds(throttle::LONGEST)
            ),
            format!(
                "Without: {}, {}, then {} times as long each time, up to {}",
                seconds(polls::FIRST),
                seconds(polls::BASE),
                polls::GROWTH,
                seconds(polls::LONGEST)
            ),
        ]);
    }

    #[test]
    fn operations_page_names_the_limits_of_reads() {
        let pause = |pause| {
            format!(
                "a passing status or a broken connection, after a pause of {} that doubles; a body that \
                 broke off, at once and at most {} times",
                milliseconds(pause),
                reads::BODIES - 1
            )
        };
        holds(&[
            format!(
                "(get, list, logs) | {} times, for all reasons together | {}",
                reads::SENDS,
                pause(reads::FIRST_PAUSE)
            ),
            format!("than {}, except", seconds(reads::LONGEST_PAUSE)),
            format!("waits up to {} for a throttle", seconds(throttle::PATIENCE)),
            format!(
                "refills by {} each second, which `…-global-reads` beside it shows: below {} reads left ({} of the \
                 subscription), reads are sent one after the other, up to {} apart",
                throttle::REFILL,
                throttle::OF_A_CALLER.scarce,
                throttle::OF_ALL.scarce,
                milliseconds(throttle::OF_A_CALLER.widest)
            ),
            format!(
                "below {} reads left, up to a second apart",
                throttle::OF_AN_HOUR.scarce
            ),
            format!("{} apart, because", milliseconds(throttle::RELEASE_GAP)),
            format!("A call ends after {} with", seconds(calls::TIMEOUT)),
            format!("sent fewer than {} times", reads::SENDS),
        ]);
        holds(&[format!(
            "A list of more than {} pages",
            thousands(lists::PAGES)
        )]);
        holds(&[format!(
            "`resume_all` waits {} at most",
            seconds(lists::RESUMED)
        )]);
        #[cfg(feature = "services")]
        holds(&[format!(
            "A download takes {} files at most, each of {:.1} TiB",
            thousands(lists::FILES),
            crate::blob::LARGEST as f64 / (1_u64 << 40) as f64
        )]);
        #[cfg(feature = "services")]
        holds(&[format!(
            "of a blob | {} times, for all reasons together | {}",
            blobs::SENDS,
            pause(blobs::FIRST_PAUSE)
        )]);
    }

    #[test]
    fn sends_of_a_read_fit_into_the_time_of_a_call() {
        let pauses: Duration = (1..reads::SENDS)
            .map(|nth| (reads::FIRST_PAUSE * 2_u32.pow(nth - 1)).min(reads::LONGEST_PAUSE))
            .sum();
        #[cfg(any(feature = "rustls", feature = "native_tls"))]
        assert!(calls::CONNECT * reads::SENDS + pauses < calls::TIMEOUT);
        assert!(pauses < Duration::from_secs(3));
    }
}

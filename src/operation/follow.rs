//! One wait, followed to its end: by a call, or as a stream of events.

use super::driver::{Settled, Turn};
use super::progress::Event;
use super::wait::WaitOptions;
use super::waitable::{Waitable, sealed::How};
use crate::error::{Error, ErrorKind};
use futures::{Stream, stream};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

/// Waits to the end.
pub(crate) async fn wait<W: Waitable>(
    target: &mut W,
    options: &WaitOptions,
) -> Result<W::Output, Error> {
    let begun = Instant::now();
    loop {
        let ended = match target.driver() {
            Some(driver) => Some(driver.run(&options.after(begun.elapsed())).await),
            None => None,
        };
        if let Some(ended) = target.end(How(ended)).await {
            return ended;
        }
    }
}

/// Returns the progress before each pause, and the end as the last item.
pub(crate) fn events<'a, W: Waitable>(
    target: &'a mut W,
    options: &WaitOptions,
) -> impl Stream<Item = Result<Event<W::Output>, Error>> + Send + use<'a, W> {
    let wait = target.driver().map(|driver| driver.wait(options));
    let (options, begun) = (options.clone(), Instant::now());
    stream::unfold(Some((target, wait)), move |state| {
        let options = options.clone();
        async move {
            let (target, mut wait): (&mut W, _) = state?;
            loop {
                let ended = match (target.driver(), wait) {
                    (Some(driver), Some(mut wait)) => match driver.next(&mut wait).await {
                        Ok(Turn::Progress(progress)) => {
                            let event = Ok(Event::Progress(progress));
                            return Some((event, Some((target, Some(wait)))));
                        }
                        Ok(Turn::Done(ended)) => Some(ended),
                        Err(error) => Some(Err(error)),
                    },
                    // There is nothing to wait for, and the target knows why.
                    _ => None,
                };
                if let Some(ended) = target.end(How(ended)).await {
                    return Some((ended.map(Event::Done), None));
                }
                let options = options.after(begun.elapsed());
                wait = target.driver().map(|driver| driver.wait(&options));
            }
        }
    })
}

/// Reads the resource that an operation has to give.
///
/// # Errors
///
/// It has another shape, or there is none.
pub(crate) fn result<T: DeserializeOwned>(settled: Settled, noun: &str) -> Result<T, Error> {
    decode(settled, noun)?.ok_or_else(|| {
        let why = format!("the operation succeeded, and the service does not show the {noun}");
        Error::new(ErrorKind::ResultUnavailable, why)
    })
}

/// Reads what an operation on this sort of resource gave.
///
/// # Errors
///
/// It has another shape.
pub(crate) fn decode<T: DeserializeOwned>(
    settled: Settled,
    noun: &str,
) -> Result<Option<T>, Error> {
    let Some(text) = settled else { return Ok(None) };
    // serde's message would quote values.
    serde_json::from_str(text.get()).map(Some).map_err(|_| {
        Error::new(
            ErrorKind::ResultUnavailable,
            format!("the operation succeeded, and the {noun} has an unexpected shape"),
        )
    })
}

//! One wait, followed to its end: by a call, or as a stream of events.

use super::driver::{Settled, Turn};
use super::progress::Event;
use super::wait::WaitOptions;
use super::waitable::{Waitable, sealed::How};
use crate::error::{Error, ErrorKind};
use futures::{Stream, stream};
use serde::de::DeserializeOwned;

/// Waits to the end.
pub(crate) async fn wait<W: Waitable>(
    target: &mut W,
    options: &WaitOptions,
) -> Result<W::Output, Error> {
    let ended = match target.driver() {
        Some(driver) => Some(driver.run(options).await),
        None => None,
    };
    target.end(How(ended)).await
}

/// Returns the progress before each pause, and the end as the last item.
pub(crate) fn events<'a, W: Waitable>(
    target: &'a mut W,
    options: &WaitOptions,
) -> impl Stream<Item = Result<Event<W::Output>, Error>> + Send + use<'a, W> {
    let wait = target.driver().map(|driver| driver.wait(options));
    stream::unfold(Some((target, wait)), |state| async move {
        let (target, wait): (&mut W, _) = state?;
        let ended = match (target.driver(), wait) {
            (Some(driver), Some(mut wait)) => match driver.next(&mut wait).await {
                Ok(Turn::Progress(progress)) => {
                    return Some((Ok(Event::Progress(progress)), Some((target, Some(wait)))));
                }
                Ok(Turn::Done(ended)) => Some(ended),
                Err(error) => Some(Err(error)),
            },
            // There is nothing to wait for, and the target knows why.
            _ => None,
        };
        let ended = target.end(How(ended)).await;
        Some((ended.map(Event::Done), None))
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

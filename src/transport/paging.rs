//! Lists, a page at a time.

use super::client::{Sending, ServiceClient};
use super::exchange::{HttpRequest, Limit};
use crate::error::{Error, ErrorKind};
use crate::wire::Page;
use futures::Stream;
use futures::stream;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::sync::Arc;
use url::Url;

/// One page's items. An item that cannot be read is an error of its own and does not take the rest
/// with it.
type Items<T> = std::vec::IntoIter<Result<T, Error>>;

pub(crate) type Next = Result<Option<Url>, Error>;

/// The items of a list, lazily: the next page is read when the one before is used up.
///
/// A page is parsed once. `nextLink` is followed byte for byte, to the origin of ARM only, and a
/// list whose links go round in a circle ends with an error.
pub(crate) fn pages<T: DeserializeOwned + Send + 'static>(
    client: Arc<ServiceClient>,
    first: Url,
) -> impl Stream<Item = Result<T, Error>> + Send + 'static {
    struct State<T> {
        items: Items<T>,
        /// Where the next page is, or why it cannot be read: told after the items of this one.
        next: Next,
        request_id: String,
        client: Arc<ServiceClient>,
        trail: Trail,
    }
    let state = State {
        items: Vec::new().into_iter(),
        next: Ok(Some(first)),
        // One id for the whole list, as Microsoft's client does.
        request_id: azure_core::Uuid::new_v4().into(),
        client,
        trail: Trail::default(),
    };
    stream::unfold(state, move |mut state| async move {
        loop {
            if let Some(item) = state.items.next() {
                return Some((item, state));
            }
            let read = match std::mem::replace(&mut state.next, Ok(None)) {
                Ok(url) => {
                    let url = url?;
                    match state.trail.step(&url) {
                        Ok(()) => page::<T>(&state.client, url, &state.request_id).await,
                        Err(error) => Err(error),
                    }
                }
                Err(error) => Err(error),
            };
            match read {
                Ok((items, next)) => {
                    state.items = items.into_iter();
                    state.next = next;
                }
                Err(error) => return Some((Err(error), state)),
            }
        }
    })
}

async fn page<T: DeserializeOwned>(
    client: &ServiceClient,
    url: Url,
    request_id: &str,
) -> Result<(Vec<Result<T, Error>>, Next), Error> {
    let request = HttpRequest::get(url).request_id(Some(request_id.to_owned()));
    let answer = client
        .send(&request, Sending::Retried, Limit::PAGE, None)
        .await?
        .successful(request_id)?;
    let (items, next) = match answer.json::<Page<T>>(request_id) {
        Ok(page) => (page.value.into_iter().map(Ok).collect(), page.next_link),
        // Rare: one odd item. Read the page again, item by item.
        Err(_) => {
            let page: Page<Box<RawValue>> = answer.json(request_id)?;
            let items = page.value.iter().map(|raw| {
                serde_json::from_str(raw.get()).map_err(|error| {
                    Error::new(
                        ErrorKind::Protocol,
                        format!(
                            "an item of the list has an unexpected shape at column {}",
                            error.column()
                        ),
                    )
                })
            });
            (items.collect(), page.next_link)
        }
    };
    Ok((items, follow(client, &request.url, next.as_deref())))
}

/// The page that `link` names.
pub(crate) fn follow(client: &ServiceClient, page: &Url, link: Option<&str>) -> Next {
    let refuse = |why: &str| Err(Error::new(ErrorKind::Protocol, why));
    let Some(link) = link.map(str::trim).filter(|link| !link.is_empty()) else {
        return Ok(None);
    };
    let Some(url) = client.origins().resolve(page, link) else {
        return refuse("the nextLink of the list is no URL");
    };
    url.map(Some)
}

/// Notices a list that goes round in a circle, with one page remembered (Brent's way): the memory
/// does not grow with the list.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    remembered: Option<Url>,
    steps: u64,
    next_mark: u64,
}

impl Trail {
    pub(crate) fn step(&mut self, url: &Url) -> Result<(), Error> {
        if self.remembered.as_ref() == Some(url) {
            return Err(Error::new(
                ErrorKind::Protocol,
                "the pages of the list go round in a circle",
            ));
        }
        if self.steps == self.next_mark {
            self.remembered = Some(url.clone());
            self.next_mark = self.steps.saturating_mul(2).max(1);
        }
        self.steps += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_of_any_length_are_noticed_and_long_lists_are_not() {
        let page = |number: u64| Url::parse(&format!("https://h/?page={number}")).unwrap();
        for (before, length) in [(0, 1), (0, 2), (3, 1), (3, 7), (100, 33)] {
            let mut trail = Trail::default();
            let circle = (0..10_000).map(|step| match step {
                step if step < before => page(step),
                step => page(before + (step - before) % length),
            });
            let noticed = circle.take_while(|url| trail.step(url).is_ok()).count();
            assert!(
                noticed < 4 * (before + length) as usize + 4,
                "{before} {length} {noticed}"
            );
        }
        let mut trail = Trail::default();
        assert!((0..10_000).all(|number| trail.step(&page(number)).is_ok()));
    }
}

//! Lists, a page at a time.

use super::client::{Sending, ServiceClient};
use super::exchange::{HttpRequest, Limit};
use crate::error::{Error, ErrorKind};
use crate::wire::{Item, Page};
use futures::Stream;
use futures::stream;
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
pub(crate) fn pages<T: Item + Send + 'static>(
    client: Arc<ServiceClient>,
    first: Url,
) -> impl Stream<Item = Result<T, Error>> + Send + 'static {
    walk(client, first, Links::Followed)
}

/// [`pages`], of a service whose links may name a host of its own: of a link only the query is taken,
/// as Microsoft's client does.
#[cfg(feature = "services")]
pub(crate) fn own_pages<T: Item + Send + 'static>(
    client: Arc<ServiceClient>,
    first: Url,
) -> impl Stream<Item = Result<T, Error>> + Send + 'static {
    let own = first.clone();
    walk(client, first, Links::Own(own))
}

/// Where the links of a list lead.
#[derive(Debug)]
enum Links {
    /// Where they say, if it is trusted.
    Followed,
    /// To this place, with their query.
    #[cfg_attr(not(feature = "services"), allow(dead_code))]
    Own(Url),
}

fn walk<T: Item + Send + 'static>(
    client: Arc<ServiceClient>,
    first: Url,
    links: Links,
) -> impl Stream<Item = Result<T, Error>> + Send + 'static {
    struct State<T> {
        items: Items<T>,
        /// Where the next page is, or why it cannot be read: told after the items of this one.
        next: Next,
        request_id: String,
        client: Arc<ServiceClient>,
        links: Links,
        trail: Trail,
    }
    let state = State {
        items: Vec::new().into_iter(),
        next: Ok(Some(first)),
        // One id for the whole list, as Microsoft's client does.
        request_id: azure_core::Uuid::new_v4().into(),
        client,
        links,
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
                        Ok(()) => {
                            page::<T>(&state.client, url, &state.request_id, &state.links).await
                        }
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

async fn page<T: Item>(
    client: &ServiceClient,
    url: Url,
    request_id: &str,
    links: &Links,
) -> Result<(Vec<Result<T, Error>>, Next), Error> {
    let request = HttpRequest::get(url).request_id(Some(request_id.to_owned()));
    let answer = client
        .send(&request, Sending::Retried, Limit::PAGE, None)
        .await?
        .successful(request_id)?;
    let (items, next) = match Page::<T>::read(answer.text()) {
        Some(page) => {
            let next = next(client, &request.url, &page, links);
            (page.value.into_iter().map(Ok).collect(), next)
        }
        // Rare: one odd item. Read the page again, item by item.
        None => {
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
            let next = next(client, &request.url, &page, links);
            (items.collect(), next)
        }
    };
    Ok((items, next))
}

fn next<T>(client: &ServiceClient, url: &Url, page: &Page<T>, links: &Links) -> Next {
    match links {
        Links::Followed => follow(client, url, page.next_link.as_deref()),
        #[cfg(feature = "services")]
        Links::Own(first) => own_next(first, page),
        #[cfg(not(feature = "services"))]
        Links::Own(_) => Ok(None),
    }
}

#[cfg(feature = "services")]
fn own_next<T>(first: &Url, page: &Page<T>) -> Next {
    let said = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let mut url = first.clone();
    if let Some(link) = said(&page.next_link) {
        let query = link.split_once('?').map(|(_, query)| query.trim());
        let query = query.and_then(|query| query.split('#').next());
        let Some(query) = query.filter(|query| !query.is_empty()) else {
            return Err(Error::new(
                ErrorKind::Protocol,
                "the nextLink of the list does not say which page is next",
            ));
        };
        url.set_query(Some(query));
        return Ok(Some(url));
    }
    let Some(token) = said(&page.continuation_token) else {
        return Ok(None);
    };
    let name = "continuationToken";
    let others: Vec<(String, String)> = first
        .query_pairs()
        .filter(|(key, _)| key != name)
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair(name, &token);
    Ok(Some(url))
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

    #[cfg(feature = "services")]
    #[test]
    fn pages_of_a_service_stay_on_its_own_host() {
        let first = Url::parse("https://h/models?name=a&continuationToken=0").unwrap();
        let next = |text: &str| {
            let page: Page<u8> = serde_json::from_str(text).unwrap();
            own_next(&first, &page).map(|url| url.map(String::from))
        };
        for (page, expected) in [
            (r#"{"value":[]}"#, None),
            (r#"{"nextLink":" ","continuationToken":""}"#, None),
            (
                r#"{"nextLink":"http://inner.example/x?name=a&$skipToken=7#y"}"#,
                Some("https://h/models?name=a&$skipToken=7"),
            ),
            (
                r#"{"continuationToken":"a&b"}"#,
                Some("https://h/models?name=a&continuationToken=a%26b"),
            ),
        ] {
            assert_eq!(next(page).unwrap().as_deref(), expected, "{page}");
        }
        assert_eq!(
            next(r#"{"nextLink":"https://h/models"}"#)
                .unwrap_err()
                .kind(),
            ErrorKind::Protocol
        );
    }

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

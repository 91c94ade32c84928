//! Lists, a page at a time.

use super::client::{ArmClient, Sending};
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

type Next = Result<Option<Url>, Error>;

/// The items of a list, lazily: the next page is read when the one before is used up.
///
/// A page is parsed once. `nextLink` is followed byte for byte, to the origin of ARM only, and a
/// page that links to itself ends the stream with an error.
pub(crate) fn pages<T: DeserializeOwned + Send + 'static>(
    client: Arc<ArmClient>,
    first: Url,
) -> impl Stream<Item = Result<T, Error>> + Send + 'static {
    struct State<T> {
        items: Items<T>,
        /// Where the next page is, or why it cannot be read: told after the items of this one.
        next: Next,
        request_id: String,
        client: Arc<ArmClient>,
    }
    let state = State {
        items: Vec::new().into_iter(),
        next: Ok(Some(first)),
        // One id for the whole list, as Microsoft's client does.
        request_id: azure_core::Uuid::new_v4().into(),
        client,
    };
    stream::unfold(state, move |mut state| async move {
        loop {
            if let Some(item) = state.items.next() {
                return Some((item, state));
            }
            let read = match std::mem::replace(&mut state.next, Ok(None)) {
                Ok(url) => page::<T>(&state.client, url?, &state.request_id).await,
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
    client: &ArmClient,
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
fn follow(client: &ArmClient, page: &Url, link: Option<&str>) -> Next {
    let refuse = |why: &str| Err(Error::new(ErrorKind::Protocol, why));
    let Some(link) = link.map(str::trim).filter(|link| !link.is_empty()) else {
        return Ok(None);
    };
    let Some(url) = client.origins().resolve(page, link) else {
        return refuse("the nextLink of the list is no URL");
    };
    let url = url?;
    if url == *page {
        return refuse("a page of the list links to itself");
    }
    Ok(Some(url))
}

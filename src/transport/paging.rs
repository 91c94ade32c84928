//! Lists, a page at a time.

use super::client::{Sending, ServiceClient};
use super::exchange::{HttpRequest, Limit};
use super::limits::lists::PAGES;
use crate::error::{Error, ErrorKind, place_of, redact_url};
use crate::json::{self, Item};
use futures::lock::Mutex;
use futures::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use serde_json::value::RawValue;
use std::fmt;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use url::Url;

/// The items of a list, one by one; a page is read when the items of the page before are used up.
///
/// Nothing is sent before the first item is asked for. An item that cannot be read is an error item, and
/// the list goes on; an error of a page is the last item. The list can be polled after its end. It is
/// `Unpin`: `list.try_next().await` of `futures::TryStreamExt` needs no `pin!`.
///
/// Sends: a GET of each page. Dropping the future of `next` or `try_next` loses nothing: the next call
/// goes on with the same read.
///
/// ```
/// # #[cfg(feature = "emulator")]
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), azureml_aks::Error> {
/// # use azureml_aks::{AksCompute, ComputeTarget, Workspace, emulator::Emulator};
/// # let emulator = Emulator::builder().page_size(2).build();
/// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
/// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
/// # let config = AksCompute::provisioning_configuration().build()?;
/// # for name in ["first", "second", "third"] {
/// #     ComputeTarget::create(&workspace, name, config.clone()).await?;
/// # }
/// use futures::TryStreamExt;
///
/// let mut names = Vec::new();
/// let mut computes = workspace.computes();
/// while let Some(compute) = computes.try_next().await? {
///     names.push(compute.name().to_string());
/// }
/// assert_eq!(names, ["first", "second", "third"]);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "emulator"))]
/// # fn main() {}
/// ```
///
/// # Design
///
/// The names are those of `azure_core` 1.1, where this type is `Pager` (an `ItemIterator`),
/// [`Pages`] is `PageIterator`, [`Continuation`] is `PagerContinuation`, and
/// [`continue_from`](Self::continue_from) is the option `PagerOptions::continuation`. Two things differ:
/// here an item that cannot be read does not take its page with it, and
/// [`into_pages`](Self::into_pages) does not read a page twice.
#[must_use = "a list reads nothing until an item is asked for"]
pub struct List<T> {
    /// The rest of the page that was read last. An item that cannot be read is an error of its own
    /// and does not take the rest with it.
    items: std::vec::IntoIter<Result<T, Error>>,
    /// The page after `items`.
    continuation: Option<Continuation>,
    pages: Pages<T>,
}

impl<T> List<T> {
    /// The same list, a page at a time, with the place of the page that follows each.
    ///
    /// Of a page that was begun, the rest comes first, without another read.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{AksCompute, ComputeTarget, Workspace, emulator::Emulator};
    /// # let emulator = Emulator::builder().page_size(2).build();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let config = AksCompute::provisioning_configuration().build()?;
    /// # for name in ["first", "second", "third"] {
    /// #     ComputeTarget::create(&workspace, name, config.clone()).await?;
    /// # }
    /// use azureml_aks::Continuation;
    /// use futures::TryStreamExt;
    ///
    /// let mut pages = workspace.computes().into_pages();
    /// let page = pages.try_next().await?.expect("a list has at least one page");
    /// assert_eq!(page.items.len(), 2);
    /// let stored = page.continuation.map(|continuation| continuation.to_string());
    ///
    /// // Later, perhaps in another process:
    /// if let Some(stored) = stored {
    ///     let next: Continuation = stored.parse()?;
    ///     let rest: Vec<_> = workspace.computes().continue_from(&next).try_collect().await?;
    ///     assert_eq!(rest[0].name().as_str(), "third");
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn into_pages(self) -> Pages<T> {
        let Self {
            items,
            continuation,
            mut pages,
        } = self;
        if items.len() > 0 {
            pages.begun = Some(Page {
                items: items.collect(),
                continuation,
            });
        }
        pages
    }

    /// Goes on at the page that `continuation` names, and drops what was read so far.
    ///
    /// The continuation is checked when the page is read. One that leads outside the hosts of the
    /// workspace is an error item of the kind [`ErrorKind::UntrustedUrl`]; one of another list of models
    /// or services is one of the kind [`ErrorKind::Validation`]. Either ends the list, and nothing is sent
    /// to the place that it names.
    pub fn continue_from(mut self, continuation: &Continuation) -> Self {
        self.pages.from = Some(continuation.clone());
        self.pages.reading = Mutex::new(None);
        Self::of(self.pages)
    }

    fn of(pages: Pages<T>) -> Self {
        Self {
            items: Vec::new().into_iter(),
            continuation: None,
            pages,
        }
    }
}

#[cfg_attr(not(feature = "services"), allow(dead_code))]
impl<T: 'static> List<T> {
    /// The list with each item changed by `f`, which sees the items that cannot be read, too, and no
    /// errors of pages. To be called before anything is read.
    pub(crate) fn convert<U: 'static>(
        self,
        f: impl Fn(Result<T, Error>) -> Result<U, Error> + Send + Sync + 'static,
    ) -> List<U> {
        self.filter_convert(move |item| Some(f(item)))
    }

    /// [`convert`](Self::convert) without the items for which `f` gives `None`.
    pub(crate) fn filter_convert<U: 'static>(
        self,
        f: impl Fn(Result<T, Error>) -> Option<Result<U, Error>> + Send + Sync + 'static,
    ) -> List<U> {
        let Pages { open, from, .. } = self.pages;
        let f = Arc::new(f);
        let open = move |from| {
            let f = f.clone();
            let convert = move |page: Page<T>| Page {
                items: page.items.into_iter().filter_map(&*f).collect(),
                continuation: page.continuation,
            };
            open(from).map_ok(convert).boxed()
        };
        List::of(Pages {
            from,
            ..Pages::new(open)
        })
    }
}

impl<T> Stream for List<T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let list = self.get_mut();
        loop {
            if let Some(item) = list.items.next() {
                return Poll::Ready(Some(item));
            }
            match ready!(list.pages.poll_next_unpin(context)) {
                Some(Ok(page)) => {
                    list.items = page.items.into_iter();
                    list.continuation = page.continuation;
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

// No item is pinned.
impl<T> Unpin for List<T> {}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List")
            .field("items_read", &self.items.len())
            .finish_non_exhaustive()
    }
}

/// The pages of a [`List`], of which each is read when it is asked for.
///
/// An error of a page is the last item. The stream can be polled after its end.
///
/// Sends: a GET of each page. Dropping the future of `next` or `try_next` loses nothing: the next call
/// goes on with the same read.
#[must_use = "a list reads nothing until a page is asked for"]
pub struct Pages<T> {
    open: Open<T>,
    /// Where the list begins, if not at its first page.
    from: Option<Continuation>,
    /// The rest of a page, to be given first.
    begun: Option<Page<T>>,
    /// Never locked: it makes the list `Sync`, which the futures of transports are not.
    reading: Mutex<Option<Reading<T>>>,
}

type Reading<T> = BoxStream<'static, Result<Page<T>, Error>>;

/// Starts to read a list, at its first page or at another one. Boxed once for a list, not for each
/// page.
type Open<T> = Box<dyn Fn(Option<Continuation>) -> Reading<T> + Send + Sync>;

impl<T> Pages<T> {
    fn new(open: impl Fn(Option<Continuation>) -> Reading<T> + Send + Sync + 'static) -> Self {
        Self {
            open: Box::new(open),
            from: None,
            begun: None,
            reading: Mutex::new(None),
        }
    }
}

impl<T> Stream for Pages<T> {
    type Item = Result<Page<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let pages = self.get_mut();
        if let Some(page) = pages.begun.take() {
            return Poll::Ready(Some(Ok(page)));
        }
        let reading = pages.reading.get_mut();
        let reading = reading.get_or_insert_with(|| (pages.open)(pages.from.take()));
        reading.poll_next_unpin(context)
    }
}

// No item is pinned.
impl<T> Unpin for Pages<T> {}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

/// One page of a [`List`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items; one that cannot be read is an error of its own.
    pub items: Vec<Result<T, Error>>,
    /// Where the next page is; `None` for the last page, and where the service named a page that cannot
    /// be read, of which the next item of [`Pages`] tells.
    pub continuation: Option<Continuation>,
}

/// Where a page of a [`List`] is: the link to it as the service gave it.
///
/// `Display` gives the text to store, and `FromStr` reads it. The text is not a credential. It is valid
/// for one list of one workspace and for the query of that list; the service decides how long. `Debug`
/// does not show its query, which may hold the service's own token (`$skiptoken`).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Continuation(Url);

impl Continuation {
    /// The text to store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        shown.set_query(None);
        f.debug_tuple("Continuation")
            .field(&redact_url(&shown))
            .finish()
    }
}

impl FromStr for Continuation {
    type Err = Error;

    /// Reads the text that `Display` gave.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for a text that is not an absolute URL. Whether the URL is trusted is
    /// checked when its page is read.
    fn from_str(text: &str) -> Result<Self, Error> {
        match Url::parse(text) {
            Ok(url) => Ok(Self(url)),
            Err(_) => Err(Error::new(
                ErrorKind::Validation,
                "the text is not the continuation of a list",
            )),
        }
    }
}

pub(crate) type Next = Result<Option<Url>, Error>;

/// Whom to ask for a list, and where its first page is.
type Begin = (Arc<ServiceClient>, Url);

/// A list of ARM.
///
/// A page is parsed once. `nextLink` is followed byte for byte, to the origin of ARM only, and a
/// list whose links go round in a circle ends with an error.
pub(crate) fn pages<T: Item + Send + 'static>(client: Arc<ServiceClient>, first: Url) -> List<T> {
    list(known(client, first), Links::Followed)
}

/// [`pages`], of a service whose links may name a host of its own: of a link only the query is taken,
/// as Microsoft's client does.
#[cfg(feature = "services")]
pub(crate) fn own_pages<T: Item + Send + 'static>(
    client: Arc<ServiceClient>,
    first: Url,
) -> List<T> {
    list(known(client, first), Links::Own)
}

/// [`own_pages`], of a service whose host is found when the list is first read.
#[cfg(feature = "services")]
pub(crate) fn own_pages_of<T, F>(begin: impl Fn() -> F + Send + Sync + 'static) -> List<T>
where
    T: Item + Send + 'static,
    F: Future<Output = Result<Begin, Error>> + Send + 'static,
{
    list(begin, Links::Own)
}

fn known(
    client: Arc<ServiceClient>,
    first: Url,
) -> impl Fn() -> std::future::Ready<Result<Begin, Error>> + Send + Sync + 'static {
    move || std::future::ready(Ok((client.clone(), first.clone())))
}

/// Where the links of a list lead.
#[derive(Debug, Clone, Copy)]
enum Links {
    /// Where they say, if it is trusted.
    Followed,
    /// To the first page, with their query.
    #[cfg_attr(not(feature = "services"), allow(dead_code))]
    Own,
}

fn list<T, F>(begin: impl Fn() -> F + Send + Sync + 'static, links: Links) -> List<T>
where
    T: Item + Send + 'static,
    F: Future<Output = Result<Begin, Error>> + Send + 'static,
{
    List::of(Pages::new(move |from| walk(begin(), from, links).boxed()))
}

fn walk<T: Item + Send + 'static>(
    begin: impl Future<Output = Result<Begin, Error>> + Send + 'static,
    from: Option<Continuation>,
    links: Links,
) -> impl Stream<Item = Result<Page<T>, Error>> + Send + 'static {
    let walk = async move {
        let (client, first) = begin.await?;
        let start = match from {
            Some(from) => begin_at(&client, &first, from, links)?,
            None => first.clone(),
        };
        let reader = Reader {
            client,
            first,
            links,
            // One id for the whole list, as Microsoft's client does.
            request_id: azure_core::Uuid::new_v4().into(),
            trail: Trail::default(),
        };
        // The error of the next page comes after the items of the page before.
        let next: Next = Ok(Some(start));
        Ok::<_, Error>(stream::try_unfold(
            (reader, next),
            |(mut reader, next)| async move {
                let Some(url) = next? else {
                    return Ok(None);
                };
                reader.trail.step(&url)?;
                let (items, next) = reader.page(url).await?;
                let continuation = next.as_ref().ok().cloned().flatten().map(Continuation);
                let page = Page {
                    items,
                    continuation,
                };
                Ok(Some((page, (reader, next))))
            },
        ))
    };
    stream::once(walk).try_flatten()
}

/// The page that the user wants to begin at.
fn begin_at(
    client: &ServiceClient,
    first: &Url,
    from: Continuation,
    links: Links,
) -> Result<Url, Error> {
    let Continuation(from) = from;
    if client.origins().check(&from).is_err() {
        return Err(Error::new(
            ErrorKind::UntrustedUrl,
            format!(
                "the continuation leads outside the hosts of the workspace, and nothing was sent there: {}",
                place_of(&from)
            ),
        ));
    }
    // All pages of such a list have one place; the links of ARM may have any.
    let same_place = from.origin() == first.origin() && from.path() == first.path();
    if matches!(links, Links::Own) && !same_place {
        return Err(Error::new(
            ErrorKind::Validation,
            "the continuation is that of another list, and nothing was sent",
        ));
    }
    Ok(from)
}

struct Reader {
    client: Arc<ServiceClient>,
    #[cfg_attr(not(feature = "services"), allow(dead_code))]
    first: Url,
    links: Links,
    request_id: String,
    trail: Trail,
}

impl Reader {
    async fn page<T: Item>(&self, url: Url) -> Result<(Vec<Result<T, Error>>, Next), Error> {
        let request = HttpRequest::get(url).request_id(Some(self.request_id.clone()));
        let answer = self
            .client
            .send(&request, Sending::Retried, Limit::PAGE, None)
            .await?
            .successful(&self.request_id)?;
        let (items, next) = match json::Page::<T>::read(answer.text()) {
            Some(page) => {
                let next = self.next(&request.url, &page);
                (page.value.into_iter().map(Ok).collect(), next)
            }
            // Rare: one odd item. Read the page again, item by item.
            None => {
                let page: json::Page<Box<RawValue>> = answer.json(&self.request_id)?;
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
                let next = self.next(&request.url, &page);
                (items.collect(), next)
            }
        };
        Ok((items, next))
    }

    fn next<T>(&self, url: &Url, page: &json::Page<T>) -> Next {
        match self.links {
            Links::Followed => follow(&self.client, url, page.next_link.as_deref()),
            #[cfg(feature = "services")]
            Links::Own => own_next(&self.first, page),
            #[cfg(not(feature = "services"))]
            Links::Own => Ok(None),
        }
    }
}

#[cfg(feature = "services")]
fn own_next<T>(first: &Url, page: &json::Page<T>) -> Next {
    let non_blank = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let mut url = first.clone();
    if let Some(link) = non_blank(&page.next_link) {
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
    let Some(token) = non_blank(&page.continuation_token) else {
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
        return refuse("the nextLink of the list is not a URL");
    };
    url.map(Some)
}

/// Notices a list without an end: one that goes round in a circle, with one page remembered (Brent's way), so
/// that the memory does not grow with the list, and one of more than [`PAGES`] pages.
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
                "the pages of the list repeat",
            ));
        }
        if self.steps >= PAGES {
            return Err(Error::new(
                ErrorKind::Protocol,
                format!("the list has more than {PAGES} pages, and no more were read"),
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
            let page: json::Page<u8> = serde_json::from_str(text).unwrap();
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
    fn circles_of_any_length_and_lists_without_an_end_are_noticed_and_long_lists_are_not() {
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
        assert!((0..PAGES).all(|number| trail.step(&page(number)).is_ok()));
        let error = trail.step(&page(PAGES)).unwrap_err();
        assert!(error.to_string().contains("10000 pages"), "{error}");
    }
}

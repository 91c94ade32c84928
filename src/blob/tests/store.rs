//! One blob in memory, with blocks and ranges, behind the transport of `azure_core`.

use crate::blob::{BlobStore, SasUrl, TransferProgress};
use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Method, Request, Transport,
};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// In every URL, and so nowhere else.
pub(super) const SIGNATURE: &str = "s3cr3t/s1gn4ture+=";

/// The subject of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    Whole,
    List,
    Stage,
    Commit,
    Range,
}

/// The fate of a request.
pub(super) enum Fault {
    /// It never arrives.
    Lost,
    /// It is done, and the answer never arrives.
    Unanswered,
    /// It arrives, and there is never an answer.
    Silence,
    /// It is refused so.
    Refused(u16, &'static str, &'static str),
    /// The body of the answer breaks off after so many bytes.
    Broken(usize),
    /// The body of the answer has more or fewer bytes than it should.
    Wrong(isize),
    /// The answer has this `Content-Range`, if any, and so many bytes.
    Range(Option<&'static str>, usize),
    /// This is done first.
    First(Box<dyn FnOnce() + Send>),
}

#[derive(Default)]
pub(super) struct State {
    /// By base64 of its id.
    pub(super) staged: BTreeMap<String, Bytes>,
    /// The blocks of the blob, and what it holds.
    pub(super) committed: Vec<(String, Bytes)>,
    pub(super) content: Option<Bytes>,
    pub(super) requests: Vec<Asks>,
    pub(super) headers: Vec<Headers>,
    pub(super) version: u32,
    in_flight: usize,
    pub(super) most_in_flight: usize,
    /// The most bytes of a range that are sent at once.
    pub(super) at_most: Option<usize>,
    /// The faults to inject: the sort of request, its number counted from one, and the fault.
    faults: Vec<(Asks, usize, Fault)>,
}

#[derive(Default)]
pub(super) struct Store(Mutex<State>);

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Lets the `nth` request of this sort from now on, counted from one, meet with this.
    pub(super) fn fault(&self, asks: Asks, nth: usize, fault: Fault) {
        let mut state = self.state();
        let nth = nth + count(&state, asks);
        state.faults.push((asks, nth, fault));
    }

    pub(super) fn count(&self, asks: Asks) -> usize {
        count(&self.state(), asks)
    }

    pub(super) fn content(&self) -> Option<Bytes> {
        self.state().content.clone()
    }

    pub(super) fn client(self: &Arc<Self>, parallelism: usize) -> BlobStore {
        let options = ClientOptions {
            transport: Some(Transport::new(self.clone())),
            ..Default::default()
        };
        BlobStore::new(options, false, NonZero::new(parallelism).unwrap())
    }
}

/// How many bytes a read of a part asks for.
fn asked_for(request: &Request) -> usize {
    let range = request
        .headers()
        .get_optional_string(&HeaderName::from_static("range"));
    let range = range
        .as_deref()
        .and_then(|range| range.strip_prefix("bytes="));
    range
        .and_then(|range| range.split_once('-'))
        .and_then(|(start, end)| {
            Some(end.parse::<usize>().ok()? + 1 - start.parse::<usize>().ok()?)
        })
        .unwrap_or_default()
}

fn count(state: &State, asks: Asks) -> usize {
    state.requests.iter().filter(|own| **own == asks).count()
}

pub(super) fn sas() -> SasUrl {
    let signature: String = url::form_urlencoded::byte_serialize(SIGNATURE.as_bytes()).collect();
    let url = format!(
        "https://acct.blob.core.windows.net/c/model.pkl?sv=2024-08-04&se=2026-01-01T00%3A00%3A00Z&\
         sp=rcw&sr=b&sig={signature}"
    );
    SasUrl::parse(&url, false).unwrap()
}

/// Collects the reports of progress.
#[derive(Default)]
pub(super) struct Reports(Mutex<Vec<TransferProgress>>);

impl Reports {
    pub(super) fn receiver(&self) -> impl Fn(TransferProgress) + Send + Sync + '_ {
        |progress| self.0.lock().unwrap().push(progress)
    }

    pub(super) fn all(&self) -> Vec<TransferProgress> {
        self.0.lock().unwrap().clone()
    }

    /// That it began with nothing, only grew, and ended with everything.
    pub(super) fn check(&self, total: u64) {
        let all = self.all();
        assert_eq!(all[0].bytes, 0);
        assert_eq!(all[all.len() - 1].bytes, total);
        assert!(
            all.is_sorted_by(|one, two| one.bytes < two.bytes),
            "{all:?}"
        );
        for progress in all {
            assert_eq!((progress.total, &*progress.file), (total, "model.pkl"));
        }
    }
}

/// Bytes that differ from place to place.
pub(super) fn content(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    (0..length.div_ceil(8))
        .flat_map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state.rotate_left(23).to_le_bytes()
        })
        .take(length)
        .collect()
}

#[async_trait]
impl HttpClient for Store {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let query: BTreeMap<String, String> = request.url().query_pairs().into_owned().collect();
        assert_eq!(query["sig"], SIGNATURE);
        assert_eq!(request.url().path(), "/c/model.pkl");
        let Body::Bytes(body) = request.body().clone() else {
            panic!("a stream");
        };
        let asks = match (request.method(), query.get("comp").map(String::as_str)) {
            (Method::Put, None) => Asks::Whole,
            (Method::Put, Some("block")) => Asks::Stage,
            (Method::Put, Some("blocklist")) => Asks::Commit,
            (Method::Get, Some("blocklist")) => Asks::List,
            (Method::Get, None) => Asks::Range,
            other => panic!("{other:?}"),
        };
        let weight = body.len() + asked_for(request);
        let fault = {
            let mut state = self.state();
            state.requests.push(asks);
            state.headers.push(request.headers().clone());
            state.in_flight += weight;
            state.most_in_flight = state.most_in_flight.max(state.in_flight);
            let nth = count(&state, asks);
            let at = state
                .faults
                .iter()
                .position(|(own, own_nth, _)| (*own, *own_nth) == (asks, nth));
            at.map(|at| state.faults.remove(at).2)
        };
        tokio::time::sleep(Duration::from_millis(10)).await;
        let lost = || {
            let cause = std::io::Error::other(format!("no answer from {}", request.url()));
            Error::with_error(ErrorKind::Io, cause, format!("GET {}", request.url()))
        };
        let answer = match fault {
            Some(Fault::Lost) => Err(lost()),
            Some(Fault::Unanswered) => {
                self.answer(asks, request, &query, &body);
                Err(lost())
            }
            Some(Fault::Silence) => std::future::pending().await,
            Some(Fault::Refused(status, code, message)) => Ok(refuse(status, code, message)),
            Some(Fault::Broken(length)) => {
                let (status, headers, body) =
                    self.answer(asks, request, &query, &body).deconstruct();
                let start = body.collect().await?.slice(..length);
                let pieces = [Ok(start), Err(lost())];
                Ok(AsyncRawResponse::new(
                    status,
                    headers,
                    Box::pin(futures::stream::iter(pieces)),
                ))
            }
            Some(Fault::Wrong(by)) => {
                let (status, headers, body) =
                    self.answer(asks, request, &query, &body).deconstruct();
                let mut body = body.collect().await?.to_vec();
                body.resize(body.len().checked_add_signed(by).unwrap(), 7);
                Ok(AsyncRawResponse::from_bytes(status, headers, body))
            }
            Some(Fault::Range(range, length)) => {
                let headers: Vec<_> = range
                    .map(|range| ("content-range", range))
                    .into_iter()
                    .collect();
                Ok(respond(206, &headers, content(length).into()))
            }
            Some(Fault::First(first)) => {
                first();
                Ok(self.answer(asks, request, &query, &body))
            }
            None => Ok(self.answer(asks, request, &query, &body)),
        };
        self.state().in_flight -= weight;
        answer
    }
}

impl Store {
    fn answer(
        &self,
        asks: Asks,
        request: &Request,
        query: &BTreeMap<String, String>,
        body: &Bytes,
    ) -> AsyncRawResponse {
        let mut state = self.state();
        match asks {
            Asks::Whole => {
                state.content = Some(body.clone());
                state.version += 1;
                respond(201, &[], Bytes::new())
            }
            Asks::Stage => {
                let id = query["blockid"].clone();
                let lengths = state.staged.keys().all(|other| other.len() == id.len());
                assert!(lengths, "Azure wants ids of one length");
                state.staged.insert(id, body.clone());
                respond(201, &[], Bytes::new())
            }
            Asks::List => {
                assert_eq!(query["blocklisttype"], "all");
                if state.staged.is_empty() && state.content.is_none() {
                    return refuse(404, "BlobNotFound", "The specified blob does not exist.");
                }
                let list = |blocks: Vec<(&String, &Bytes)>| {
                    let blocks = blocks.into_iter().map(|(id, bytes)| {
                        format!(
                            "<Block><Name>{id}</Name><Size>{}</Size></Block>",
                            bytes.len()
                        )
                    });
                    blocks.collect::<String>()
                };
                let text = format!(
                    "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList><CommittedBlocks>{}\
                     </CommittedBlocks><UncommittedBlocks>{}</UncommittedBlocks></BlockList>",
                    list(
                        state
                            .committed
                            .iter()
                            .map(|(id, bytes)| (id, bytes))
                            .collect()
                    ),
                    list(state.staged.iter().collect()),
                );
                respond(200, &[], text.into())
            }
            Asks::Commit => {
                let text = String::from_utf8(body.to_vec()).unwrap();
                let mut blocks = Vec::new();
                for id in text.split("<Latest>").skip(1) {
                    let id = id.split('<').next().unwrap();
                    let old = state.committed.iter().find(|(own, _)| own == id);
                    let old = old.map(|(_, bytes)| bytes.clone());
                    let Some(bytes) = state.staged.get(id).cloned().or(old) else {
                        return refuse(
                            400,
                            "InvalidBlockList",
                            "The specified block list is invalid.",
                        );
                    };
                    blocks.push((id.to_owned(), bytes));
                }
                let pieces: Vec<Bytes> = blocks.iter().map(|(_, bytes)| bytes.clone()).collect();
                state.content = Some(pieces.concat().into());
                state.committed = blocks;
                state.staged.clear();
                state.version += 1;
                respond(201, &[], Bytes::new())
            }
            Asks::Range => {
                let Some(content) = state.content.clone() else {
                    return refuse(404, "BlobNotFound", "The specified blob does not exist.");
                };
                let etag = format!("\"{}\"", state.version);
                let header = |name: &'static str| {
                    let headers = request.headers();
                    headers.get_optional_string(&HeaderName::from_static(name))
                };
                if header("if-match").is_some_and(|wanted| wanted != etag) {
                    return refuse(412, "ConditionNotMet", "The condition is not met.");
                }
                let Some(range) = header("range") else {
                    return respond(200, &[("etag", &etag)], content);
                };
                let (start, end) = range
                    .strip_prefix("bytes=")
                    .and_then(|range| range.split_once('-'))
                    .unwrap();
                let (start, end): (usize, usize) = (start.parse().unwrap(), end.parse().unwrap());
                if start >= content.len() {
                    return refuse(416, "InvalidRange", "The range is invalid.");
                }
                let most = state.at_most.unwrap_or(usize::MAX);
                let end = (end + 1).min(content.len()).min(start.saturating_add(most));
                let range = format!("bytes {start}-{}/{}", end - 1, content.len());
                respond(
                    206,
                    &[("etag", &etag), ("content-range", &range)],
                    content.slice(start..end),
                )
            }
        }
    }
}

fn respond(status: u16, own: &[(&'static str, &str)], body: Bytes) -> AsyncRawResponse {
    let mut headers = Headers::new();
    headers.insert("x-ms-request-id", "r-1");
    for (name, value) in own {
        headers.insert(*name, (*value).to_owned());
    }
    AsyncRawResponse::from_bytes(status.into(), headers, body)
}

fn refuse(status: u16, code: &'static str, message: &str) -> AsyncRawResponse {
    let text = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}\n\
         RequestId:r-1\nTime:2026-11-25T08:00:00.0000000Z</Message></Error>"
    );
    respond(status, &[("x-ms-error-code", code)], text.into())
}

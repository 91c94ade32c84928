//! The requests that the emulator has seen.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use serde_json::{Value, json};

use super::http::Incoming;

/// One request as it came in, and the status that it was answered with.
///
/// `Debug` shows neither headers nor body: the body of a request may carry a private key.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct JournalEntry {
    /// The method, in capitals.
    pub method: String,
    /// The path as it was sent, still percent-encoded.
    pub path: String,
    /// The query as it was sent, without the question mark; the signature of a SAS URL is left out.
    pub query: Option<String>,
    /// The headers with names in lower case. `authorization` is not among them.
    pub headers: BTreeMap<String, String>,
    /// Whether a bearer token came along.
    pub authorized: bool,
    /// The body: parsed where it is JSON, else its text, `Null` where there was none. Of a blob, a
    /// block, what is scored and not JSON, and any body of more than 64 KiB, only the length:
    /// `{"bytes": …}`.
    pub body: Value,
    /// The status of the answer; `None` when no answer was sent because a fault broke the
    /// connection.
    pub status: Option<u16>,
}

impl JournalEntry {
    pub(crate) fn of(request: &Incoming) -> Self {
        Self {
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.as_deref().map(without_signature),
            headers: headers(request),
            authorized: request.authorized(),
            body: match request.body.len() {
                ..=LONGEST_BODY => request.body_value(),
                length => json!({ "bytes": length }),
            },
            status: None,
        }
    }

    /// The value of a query parameter, whose name is compared without case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_deref()?.as_bytes())
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.into_owned())
    }

    pub(crate) fn to_value(&self) -> Value {
        json!({
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "authorized": self.authorized,
            "body": self.body,
            "status": self.status,
        })
    }
}

/// The headers with names in lower case, without `authorization`.
pub(crate) fn headers(request: &Incoming) -> BTreeMap<String, String> {
    request
        .headers
        .iter()
        .filter(|(name, _)| name.as_str() != "authorization")
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

/// The most requests that are kept: a thousand operations with ten reads each.
const MOST: usize = 10_000;

/// The most bytes of their paths, queries, headers and bodies: so many requests of the usual size fit.
const MOST_BYTES: usize = 64 << 20;

/// The longest body that is kept. Those of computes and services have a few kB.
const LONGEST_BODY: usize = 64 << 10;

/// The last requests seen, in order, each with its size.
#[derive(Default)]
pub(crate) struct Journal {
    entries: VecDeque<(JournalEntry, usize)>,
    bytes: usize,
    /// How many were forgotten before the first of these.
    forgotten: usize,
    /// How many of these were forgotten because there were too many.
    dropped: usize,
}

/// An entry whose status is not known yet.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(usize);

impl Journal {
    pub(crate) fn entries(&self) -> impl Iterator<Item = &JournalEntry> {
        self.entries.iter().map(|(entry, _)| entry)
    }

    /// How many requests were dropped since the journal was last cleared.
    pub(crate) fn dropped(&self) -> usize {
        self.dropped
    }

    pub(crate) fn push(&mut self, request: &Incoming) -> Ticket {
        let (entry, size) = (JournalEntry::of(request), size(request));
        self.entries.push_back((entry, size));
        self.bytes += size;
        let ticket = Ticket(self.forgotten + self.entries.len() - 1);
        while (self.entries.len() > MOST || self.bytes > MOST_BYTES)
            && let Some((_, size)) = self.entries.pop_front()
        {
            if self.dropped == 0 {
                tracing::warn!("the emulator's journal is full: its oldest requests are dropped");
            }
            self.bytes -= size;
            self.forgotten += 1;
            self.dropped += 1;
        }
        ticket
    }

    /// Writes down how a request was answered, unless it was forgotten meanwhile.
    pub(crate) fn answered(&mut self, ticket: Ticket, status: Option<u16>) {
        let index = ticket.0.checked_sub(self.forgotten);
        if let Some((entry, _)) = index.and_then(|index| self.entries.get_mut(index)) {
            entry.status = status;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.forgotten += self.entries.len();
        (self.bytes, self.dropped) = (0, 0);
        self.entries.clear();
    }
}

/// The bytes of a request that its entry keeps.
fn size(request: &Incoming) -> usize {
    let headers = request.headers.iter();
    let headers: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    let query = request.query.as_ref().map_or(0, String::len);
    let body = request.body.len();
    let body = if body > LONGEST_BODY { 0 } else { body };
    request.path.len() + query + headers + body
}

/// The query without what would let its reader read or write a blob.
fn without_signature(query: &str) -> String {
    let parts: Vec<&str> = query
        .split('&')
        .map(|part| {
            let signs = url::form_urlencoded::parse(part.as_bytes())
                .any(|(key, _)| key.eq_ignore_ascii_case("sig"));
            if signs { "sig=REDACTED" } else { part }
        })
        .collect();
    parts.join("&")
}

impl fmt::Debug for JournalEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalEntry")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query)
            .field("authorized", &self.authorized)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

//! Requests straight to a deployed service: no pipeline, no credential of ARM, no retries, no
//! redirects.
//!
//! # Design
//!
//! A scoring call is worth a millisecond, and what a pipeline adds (a boxed future for each policy,
//! headers in hash maps both ways) is a third of what `reqwest` itself takes
//! (`docs/internals/performance.md`). None of it is of use here: the credential is not one of ARM, and what
//! may be tried again is for the scoring client to say.

#[cfg(any(feature = "rustls", feature = "native_tls"))]
mod client;

use super::body::Collector;
use super::default_client::DefaultClient;
use super::exchange::{Answer, header};
use super::limits::bodies;
use crate::error::{Error, Hidden};
use azure_core::Bytes;
use azure_core::credentials::Secret;
use azure_core::http::headers::{
    ACCEPT, AUTHORIZATION, CLIENT_REQUEST_ID, CONTENT_LENGTH, CONTENT_TYPE, Headers, USER_AGENT,
};
use azure_core::http::{Context, Method, Request, Transport};
use futures::StreamExt;
use url::Url;

const AGENT: &str = concat!("azureml-aks/", env!("CARGO_PKG_VERSION"));

/// The sender of requests.
#[derive(Debug)]
pub(crate) enum Sender {
    /// The default HTTP client.
    #[cfg(any(feature = "rustls", feature = "native_tls"))]
    Default(client::Client),
    /// A transport that the user gave.
    Given(Transport),
}

/// A request. Every text in it can stand in a header.
pub(crate) struct DirectRequest<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    pub(crate) bearer: Option<&'a Bearer>,
    pub(crate) accept: &'static str,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) client_request_id: &'a str,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: Bytes,
}

/// Why no whole answer came.
#[derive(Debug)]
pub(crate) struct Undelivered {
    /// Whether no connection came about, so that the service saw nothing.
    pub(crate) not_sent: bool,
    pub(crate) error: Error,
}

impl From<Error> for Undelivered {
    fn from(error: Error) -> Self {
        Self {
            not_sent: false,
            error,
        }
    }
}

impl From<azure_core::Error> for Undelivered {
    fn from(error: azure_core::Error) -> Self {
        Self {
            not_sent: matches!(error.kind(), azure_core::error::ErrorKind::Connection),
            error: error.into(),
        }
    }
}

impl Sender {
    /// The default HTTP client, with connections of its own.
    #[cfg(any(feature = "rustls", feature = "native_tls"))]
    pub(crate) fn default_client(settings: &DefaultClient) -> Result<Self, Error> {
        Ok(Self::Default(client::Client::new(
            super::default_client::client(settings)?,
        )))
    }

    /// Without a TLS feature there is nothing to make it of.
    #[cfg(not(any(feature = "rustls", feature = "native_tls")))]
    pub(crate) fn default_client(settings: &DefaultClient) -> Result<Self, Error> {
        super::default_client::transport(settings).map(Self::Given)
    }

    /// Sends once, and reads the answer: the whole of a good one, the start of any other.
    ///
    /// # Arguments
    ///
    /// * `limit` - a good answer with more bytes than these is an error.
    pub(crate) async fn send(
        &self,
        request: DirectRequest<'_>,
        limit: usize,
    ) -> Result<Reply, Undelivered> {
        match self {
            #[cfg(any(feature = "rustls", feature = "native_tls"))]
            Self::Default(client) => client.send(request, limit).await,
            Self::Given(transport) => send_by(transport, request, limit).await,
        }
    }
}

async fn send_by(
    transport: &Transport,
    request: DirectRequest<'_>,
    limit: usize,
) -> Result<Reply, Undelivered> {
    let mut sent = Request::new(request.url.clone(), request.method);
    for (name, value) in request.headers {
        sent.insert_header(name.clone(), value.clone());
    }
    sent.insert_header(USER_AGENT, AGENT);
    sent.insert_header(ACCEPT, request.accept);
    sent.insert_header(CLIENT_REQUEST_ID, request.client_request_id.to_owned());
    if let Some(content_type) = request.content_type {
        sent.insert_header(CONTENT_TYPE, content_type.to_owned());
        sent.insert_header(CONTENT_LENGTH, request.body.len().to_string());
    }
    if let Some(bearer) = request.bearer {
        sent.insert_header(AUTHORIZATION, bearer.text.secret().to_owned());
    }
    sent.set_body(request.body);
    let answer = transport.send(&Context::new(), &mut sent).await?;
    let (status, headers, mut pieces) = answer.deconstruct();
    let status = u16::from(status);
    let mut body = Body::of(status, limit);
    while let Some(piece) = pieces.next().await {
        if !body.push(piece?)? {
            break;
        }
    }
    Ok(Reply {
        status,
        headers: ReplyHeaders::Given(headers),
        body: body.finish(),
    })
}

/// The whole of a good answer, the start of any other.
enum Body {
    Whole(Collector),
    Start(Collector),
}

impl Body {
    fn of(status: u16, limit: usize) -> Self {
        if (200..300).contains(&status) {
            Self::Whole(Collector::new(limit))
        } else {
            Self::Start(Collector::new(bodies::REFUSAL.min(limit)))
        }
    }

    /// Whether there is room for more.
    fn push(&mut self, piece: Bytes) -> Result<bool, Error> {
        match self {
            Self::Whole(collector) => collector.push(piece).map(|()| true),
            Self::Start(collector) => Ok(collector.push_start(piece)),
        }
    }

    fn finish(self) -> Bytes {
        match self {
            Self::Whole(collector) | Self::Start(collector) => collector.finish(),
        }
    }
}

/// An answer. Headers stay as the sender has them: of a good answer hardly any is looked at.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: ReplyHeaders,
    pub(crate) body: Bytes,
}

#[derive(Debug)]
enum ReplyHeaders {
    #[cfg(any(feature = "rustls", feature = "native_tls"))]
    Default(client::AnswerHeaders),
    Given(Headers),
}

impl Reply {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header that is there, is text, and is not blank.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        match &self.headers {
            #[cfg(any(feature = "rustls", feature = "native_tls"))]
            ReplyHeaders::Default(headers) => headers.get(name),
            ReplyHeaders::Given(headers) => header(headers, name),
        }
    }

    /// As an answer of a pipeline, which knows how to read refusals.
    pub(crate) fn into_answer(self) -> Answer {
        Answer {
            status: self.status,
            headers: match self.headers {
                #[cfg(any(feature = "rustls", feature = "native_tls"))]
                ReplyHeaders::Default(headers) => headers.into_headers(),
                ReplyHeaders::Given(headers) => headers,
            },
            body: self.body,
            hidden: Hidden::default(),
        }
    }
}

/// The value of `Authorization`, made once for many requests.
pub(crate) struct Bearer {
    text: Secret,
    #[cfg(any(feature = "rustls", feature = "native_tls"))]
    value: client::HeaderValue,
}

const BEARER: &str = "Bearer ";

impl Bearer {
    /// `None` for what cannot stand in the header: nothing, or anything but visible ASCII.
    pub(crate) fn new(secret: &Secret) -> Option<Self> {
        let secret = secret.secret();
        if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let text = format!("{BEARER}{secret}");
        Some(Self {
            #[cfg(any(feature = "rustls", feature = "native_tls"))]
            value: client::HeaderValue::secret(&text)?,
            text: text.into(),
        })
    }

    /// The key or token by itself.
    pub(crate) fn secret(&self) -> &str {
        &self.text.secret()[BEARER.len()..]
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer")
    }
}

/// Whether a text can be the value of a header.
pub(crate) fn is_header_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_no_blank = |edge: Option<&u8>| edge.is_some_and(|byte| *byte != b' ');
    is_no_blank(bytes.first())
        && is_no_blank(bytes.last())
        && bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}

/// Whether a text can be the name of a header: a token by RFC 9110, section 5.6.2.
pub(crate) fn is_header_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_that_a_header_cannot_carry_is_refused() {
        for text in ["", " ", "a b", "key\n", "k\u{e9}y", "a\u{7f}", "\tkey"] {
            assert!(Bearer::new(&text.into()).is_none(), "{text:?}");
        }
        let bearer = Bearer::new(&"s3cr3t+/=".into()).unwrap();
        assert_eq!(bearer.secret(), "s3cr3t+/=");
        assert!(!format!("{bearer:?}").contains("s3cr3t"));
        assert!(bearer.is_same(&Bearer::new(&"s3cr3t+/=".into()).unwrap()));
        assert!(!bearer.is_same(&Bearer::new(&"other".into()).unwrap()));
    }

    #[test]
    fn invalid_header_names_and_values_are_recognized() {
        assert!(is_header_name("x-own") && is_header_name("traceparent"));
        for name in ["", "a b", "a:", "a\n", "\u{e9}"] {
            assert!(!is_header_name(name), "{name:?}");
        }
        assert!(is_header_value("application/json; charset=utf-8"));
        for value in [
            "",
            " ",
            " a",
            "a ",
            "a\tb",
            "a\r\nb: c",
            "a\u{e9}",
            "a\u{7f}",
        ] {
            assert!(!is_header_value(value), "{value:?}");
        }
    }
}

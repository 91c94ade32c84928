//! A request and an answer in the form that routes use, however the request came in.

use std::fmt::Write as _;
use std::io;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::{Value, json};

/// A request, read to its end.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Scheme and authority of the listener it came in by; every URL handed out begins with it.
    pub(crate) origin: String,
    /// Scheme and authority of the blob store for this client.
    pub(crate) blobs: String,
    pub(crate) method: String,
    /// As it was sent, still percent-encoded.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the body has more bytes than the route reads. It is empty then.
    pub(crate) too_large: bool,
    /// Whether the emulator may have any host name for its clients: in process, and at addresses that
    /// other machines reach.
    pub(crate) any_host: bool,
}

impl Incoming {
    /// The decoded path segments; `None` when one is not valid UTF-8 or a `%` is not followed by
    /// two digits.
    pub(crate) fn segments(&self) -> Option<Vec<String>> {
        self.path.split('/').skip(1).map(percent_decode).collect()
    }

    /// The query parameter, whose name is compared without case as ARM does.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub(crate) fn parameters(&self) -> impl Iterator<Item = (String, String)> + '_ {
        url::form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes())
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
    }

    /// The header as text; `None` when it is absent or not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The bearer token of the request. Azure's own routes accept any.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        let token = Some(token.trim()).filter(|token| !token.is_empty());
        token.filter(|_| scheme.eq_ignore_ascii_case("Bearer"))
    }

    pub(crate) fn authorized(&self) -> bool {
        self.bearer().is_some()
    }

    /// The body for the journal: JSON where it is JSON, else its text; of a blob only its length.
    pub(crate) fn body_value(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        // What a blob holds may be large and is nobody's business here; a list of blocks is not.
        if is_blob_path(&self.path) && self.parameter("comp").as_deref() != Some("blocklist") {
            return json!({ "bytes": self.body.len() });
        }
        serde_json::from_slice(&self.body).unwrap_or_else(|_| {
            if is_scoring_path(&self.path) {
                // Often large, and seldom text.
                json!({ "bytes": self.body.len() })
            } else {
                Value::String(String::from_utf8_lossy(&self.body).into_owned())
            }
        })
    }
}

/// The container of the storage account that holds artifacts. A blob is identified by it, whatever the
/// host: on loopback all hosts are one.
pub(crate) const BLOB_CONTAINER: &str = "azureml";

pub(crate) fn is_blob_path(path: &str) -> bool {
    path.strip_prefix('/')
        .and_then(|path| path.strip_prefix(BLOB_CONTAINER))
        .is_some_and(|rest| rest.starts_with('/'))
}

/// Whether it is for the router before the services. Its address is the emulator's too.
pub(crate) fn is_scoring_path(path: &str) -> bool {
    const ROOT: &str = "/api/v1/service/";
    path.get(..ROOT.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(ROOT))
}

/// Encodes a path for a URL; slashes stay.
pub(crate) fn percent_encode_path(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn percent_decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// How the answer reaches the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    #[default]
    Whole,
    /// Half of the body, then the connection breaks.
    Truncated,
    /// Not at all: the connection breaks before the first byte.
    Severed,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) manner: Manner,
    /// The future of the answer in place of this one.
    pub(crate) later: Option<BoxFuture<'static, Self>>,
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            manner: Manner::Whole,
            later: None,
        }
    }

    /// An answer that has to be waited for.
    pub(crate) fn later(answer: impl Future<Output = Self> + Send + 'static) -> Self {
        Self {
            later: Some(answer.boxed()),
            ..Self::empty(200)
        }
    }

    pub(crate) fn without_body(self) -> Self {
        Self {
            body: Vec::new(),
            ..self
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn raw(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::empty(status)
        }
        .with("Content-Type", content_type)
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(header, _)| header.eq_ignore_ascii_case(name))
    }

    /// The pieces of the body as they reach the client: one that is an error breaks the connection.
    /// An error in place of them all breaks it before the first byte.
    pub(crate) fn pieces(&self) -> io::Result<Vec<io::Result<Bytes>>> {
        let broken = || io::Error::other("the emulator broke the connection");
        match self.manner {
            Manner::Whole => Ok(vec![Ok(self.body.clone().into())]),
            Manner::Truncated if !self.body.is_empty() => {
                let half = Bytes::copy_from_slice(&self.body[..self.body.len() / 2]);
                Ok(vec![Ok(half), Err(broken())])
            }
            // Without a body there is nothing to cut in half, so nothing arrives.
            Manner::Truncated | Manner::Severed => Err(broken()),
        }
    }
}

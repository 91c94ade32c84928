//! A transport that writes down what passes through it.

use azure_core::Bytes;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request, Transport};
use futures::TryStreamExt;
use std::sync::{Arc, Mutex};

/// One request and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) body: Bytes,
    pub(crate) status: u16,
    pub(crate) header_names: Vec<String>,
    pub(crate) answer: Bytes,
}

#[derive(Debug)]
pub(crate) struct Recorder {
    inner: Arc<dyn HttpClient>,
    seen: Mutex<Vec<Recorded>>,
}

impl Recorder {
    pub(crate) fn around(inner: Arc<dyn HttpClient>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            seen: Mutex::default(),
        })
    }

    pub(crate) fn transport(self: &Arc<Self>) -> Transport {
        Transport::new(self.clone())
    }

    pub(crate) fn seen(&self) -> Vec<Recorded> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl HttpClient for Recorder {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (status, headers, body) = self.inner.execute_request(request).await?.deconstruct();
        let pieces: Vec<Bytes> = body.try_collect().await?;
        let answer = Bytes::from(pieces.concat());
        self.seen.lock().unwrap().push(Recorded {
            method: request.method().to_string(),
            url: request.url().to_string(),
            body: match request.body() {
                Body::Bytes(bytes) => bytes.clone(),
                Body::SeekableStream(_) => panic!("this library sends no streams"),
            },
            status: status.into(),
            header_names: headers
                .iter()
                .map(|(name, _)| name.as_str().to_owned())
                .collect(),
            answer: answer.clone(),
        });
        Ok(AsyncRawResponse::from_bytes(status, headers, answer))
    }
}

//! A body that is decoded while it arrives, and is never in memory as a whole.

use super::body::too_large;
use super::exchange::{Answer, Limit};
use crate::error::{Error, ErrorKind};
use azure_core::Bytes;
use azure_core::http::AsyncRawResponse;
use futures::StreamExt;
use std::io::{BufReader, Read};
use tokio::sync::mpsc;

/// Pieces that wait for the decoder: enough that neither side waits for each of them.
const WAITING: usize = 4;

/// A body, for a decoder that may block.
pub(crate) type Body = BufReader<Pieces>;

/// The rest of a body. A read blocks until the next piece is there.
#[derive(Debug)]
pub(crate) struct Pieces {
    piece: Bytes,
    more: mpsc::Receiver<Bytes>,
}

impl Read for Pieces {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.more.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let read = to.len().min(self.piece.len());
        to[..read].copy_from_slice(&self.piece.split_to(read));
        Ok(read)
    }
}

/// The result of `decode` for a body; `None` for a refusal, whose body is in the answer.
pub(super) type Decoded<T> = Option<serde_json::Result<T>>;

/// Reads an answer and hands the body of a success to `decode`, on a thread that may block. The answer itself
/// has no body then.
pub(super) async fn read<T: Send + 'static>(
    response: AsyncRawResponse,
    limit: Limit,
    decode: impl FnOnce(Body) -> serde_json::Result<T> + Send + 'static,
) -> Result<(Answer, Decoded<T>), Error> {
    if !response.status().is_success() {
        return Ok((Answer::read(response, Limit::RESOURCE).await?, None));
    }
    let (status, headers, mut body) = response.deconstruct();
    let (sender, more) = mpsc::channel(WAITING);
    let pieces = Pieces {
        piece: Bytes::new(),
        more,
    };
    let decoding = tokio::task::spawn_blocking(move || decode(BufReader::new(pieces)));
    let mut left = limit.0;
    while let Some(piece) = body.next().await {
        let piece = piece?;
        left = left
            .checked_sub(piece.len())
            .ok_or_else(|| too_large(limit.0))?;
        // A decoder that has given up says why.
        if sender.send(piece).await.is_err() {
            break;
        }
    }
    drop(sender);
    let decoded = decoding.await.map_err(|_| {
        Error::new(
            ErrorKind::Protocol,
            "the answer could not be decoded: its decoder was stopped",
        )
    })?;
    let answer = Answer {
        status: status.into(),
        headers,
        body: Bytes::new(),
        hidden: Default::default(),
    };
    Ok((answer, Some(decoded)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::StatusCode;
    use futures::stream;

    fn response(status: StatusCode, pieces: Vec<azure_core::Result<Bytes>>) -> AsyncRawResponse {
        let body = Box::pin(stream::iter(pieces));
        AsyncRawResponse::new(status, Default::default(), body)
    }

    fn good(pieces: &[&'static str]) -> Vec<azure_core::Result<Bytes>> {
        let pieces = pieces
            .iter()
            .map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
        pieces.collect()
    }

    async fn read_numbers(
        response: AsyncRawResponse,
        limit: usize,
    ) -> Result<(Answer, Decoded<Vec<u32>>), Error> {
        read(response, Limit(limit), serde_json::from_reader).await
    }

    #[tokio::test]
    async fn pieces_are_decoded_as_one_body_wherever_they_are_cut() {
        let pieces = good(&["[1", "2,", "", "3", "4]"]);
        let (answer, decoded) = read_numbers(response(StatusCode::Ok, pieces), 7)
            .await
            .unwrap();
        assert_eq!(decoded.unwrap().unwrap(), [12, 34]);
        assert!(answer.is_success() && answer.body.is_empty());
    }

    #[tokio::test]
    async fn body_that_is_too_large_or_breaks_off_is_an_error_of_the_transport_not_of_the_decoder()
    {
        let pieces = good(&["[12,34]"]);
        let error = read_numbers(response(StatusCode::Ok, pieces), 6)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("larger than 6 bytes"), "{error}");
        let mut pieces = good(&["[12,"]);
        pieces.push(Err(azure_core::Error::with_message(
            azure_core::error::ErrorKind::Io,
            "broken",
        )));
        let error = read_numbers(response(StatusCode::Ok, pieces), 100)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport);
    }

    #[tokio::test]
    async fn decoder_that_gives_up_ends_a_read_that_would_go_on() {
        let pieces = stream::iter(good(&["x"; 100])).chain(stream::pending());
        let endless = AsyncRawResponse::new(StatusCode::Ok, Default::default(), Box::pin(pieces));
        let (_, decoded) = read_numbers(endless, 1000).await.unwrap();
        assert!(decoded.unwrap().is_err());
    }

    #[tokio::test]
    async fn body_of_a_refusal_is_not_decoded() {
        let pieces = good(&["[12]"]);
        let refused = response(StatusCode::BadRequest, pieces);
        let (answer, decoded) = read_numbers(refused, 1).await.unwrap();
        assert!(decoded.is_none());
        assert_eq!(answer.text(), b"[12]");
    }
}

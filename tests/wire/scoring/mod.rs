//! The scoring client over both senders: what it sends, and what it makes of the answers.
//!
//! How a fetched credential is held is tested inside `src/scoring`.

mod support;

mod answers;
mod building;
mod failures;
mod requests;
mod retrying;
mod tls;

//! Everything between a request as a value and an answer as a value: pipelines, throttling, the
//! check of origins, limits, clouds, paging.

mod body;
mod client;
mod cloud;
mod decode;
mod default_client;
#[cfg(feature = "services")]
mod direct;
mod exchange;
#[cfg(any(feature = "rustls", feature = "native_tls"))]
mod http;
pub(crate) mod limits;
mod origin;
mod paging;
mod retry;
mod throttle;

pub(crate) use client::{Sending, ServiceClient, Settings};
pub use cloud::Cloud;
pub(crate) use default_client::{DefaultClient, transport as default_transport};
#[cfg(feature = "services")]
pub(crate) use direct::{
    Bearer, DirectRequest, Reply, Sender, Undelivered, is_header_name, is_header_value,
};
pub(crate) use exchange::{Answer, HttpRequest, Limit};
pub(crate) use origin::TrustedOrigins;
pub use paging::{Continuation, List, Page, Pages};
pub(crate) use paging::{Next, Trail, follow, pages};
#[cfg(feature = "services")]
pub(crate) use paging::{own_pages, own_pages_of};
#[cfg(feature = "services")]
pub(crate) use retry::{BoundedRetry, Sends};

//! Internal items for this package's own benches and fuzz targets. No part of the API.

#[cfg(feature = "services")]
mod blobs;
#[cfg(feature = "services")]
pub use blobs::Blobs;

use crate::cluster::{SizeRow, SizesPage, VmSize};
use crate::compute::{self, ComputeResource};
use crate::error::{Error, ErrorKind};
use crate::facts::arm::DEFAULT_API_VERSION;
use crate::json::{Page, Row};
use crate::names::Region;
use crate::operation::{Driver, Machine, Observation, Pace, Step, WaitOptions};
use crate::token::{FinalStateVia, HttpVerb, ResumeToken};
use crate::transport::{Answer, HttpRequest, Limit, Sending, TrustedOrigins};
use crate::workspace::Workspace;
use azure_core::http::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use std::time::Duration;
use url::Url;

/// Reads a page of VM sizes row by row, as the library does, and keeps those of one region.
///
/// # Errors
///
/// An error if the text is not such a page.
pub fn sizes_of(page: impl std::io::Read, region: &str) -> serde_json::Result<Vec<VmSize>> {
    let region = Region::parse(region).map_err(serde::de::Error::custom)?;
    Ok(SizesPage::read(page, &region)?.sizes)
}

/// Reads the same page by serde alone, every row into the same structs, which it gives.
///
/// # Errors
///
/// An error if the text is not such a page.
pub fn all_sizes_of(page: &[u8]) -> serde_json::Result<Vec<impl Sized + use<>>> {
    #[derive(serde::Deserialize)]
    struct Whole {
        value: Vec<SizeRow>,
    }
    Ok(serde_json::from_slice::<Whole>(page)?.value)
}

/// Reads a page of a list of computes, as the library does; `None` for a page with anything odd in it.
#[must_use]
pub fn computes_of(page: &[u8]) -> Option<Vec<ComputeResource>> {
    Page::read(page).map(|page| page.value)
}

/// The decision step of one operation.
#[derive(Debug, Clone)]
pub struct Stepper {
    machine: Machine,
    origins: TrustedOrigins,
    elapsed: Duration,
}

/// An answer, as the step sees it.
#[derive(Debug)]
pub struct Seen(Answer);

/// An input of the step.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "no part of the API")]
pub enum Input<'a> {
    Answer(&'a Seen),
    NoRow,
    /// The text of a row of a list.
    Row(&'a str),
    Unanswered(ErrorKind),
}

/// The request of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "no part of the API")]
pub enum Wish {
    Done,
    /// A read at the regular pace of the operation.
    Regular,
    Read,
    Watch,
}

impl Seen {
    /// An answer of this status, with these headers and this body.
    #[must_use]
    pub fn new(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Self {
        Self(Answer::of(status, headers, body))
    }

    /// Returns the error that a verb makes of it where it is a refusal.
    #[must_use]
    pub fn refusal(&self) -> Error {
        self.0.refusal("id")
    }
}

impl Stepper {
    /// A create that was answered so; `None` if that starts no operation.
    #[must_use]
    pub fn start(first: &Seen) -> Option<Self> {
        Self::begin("PUT", None, first)
    }

    /// A request by this method, with this `final-state-via`, that was answered so; `None` if that starts no
    /// operation.
    #[must_use]
    pub fn begin(method: &str, via: Option<&str>, first: &Seen) -> Option<Self> {
        let endpoint = Url::parse("https://management.azure.com").ok()?;
        let mut url = endpoint.join("computes/myaks").ok()?;
        url.set_query(Some(&format!("api-version={DEFAULT_API_VERSION}")));
        let origins = TrustedOrigins::new(endpoint);
        let verb: HttpVerb = word(method)?;
        let via: Option<FinalStateVia> = match via {
            Some(via) => Some(word(via)?),
            None => None,
        };
        let id = "id";
        let begun = Machine::start(verb, &url, id, DEFAULT_API_VERSION, &origins, via, &first.0);
        Some(Self {
            machine: begun.ok()?.0,
            origins,
            elapsed: Duration::ZERO,
        })
    }

    /// Says that the resource did not exist before.
    #[must_use]
    pub fn made_here(mut self) -> Self {
        self.machine = self.machine.made_here();
        self
    }

    /// Shows it an answer; says whether it reads on at its regular pace.
    pub fn observe(&mut self, seen: &Seen) -> bool {
        self.step(&Input::Answer(seen), Duration::ZERO) == Wish::Regular
    }

    /// Shows it anything, so much later; a row that cannot be read is passed over.
    pub fn step(&mut self, input: &Input<'_>, later: Duration) -> Wish {
        self.elapsed += later;
        let mut observe = |observed| self.machine.observe(observed, self.elapsed);
        let step = match input {
            Input::Answer(seen) => observe(Observation::Answer(&seen.0)),
            Input::NoRow => observe(Observation::NoRow),
            Input::Unanswered(kind) => {
                observe(Observation::Unanswered(&Error::new(*kind, "unanswered")))
            }
            Input::Row(text) => {
                let raw: Option<&RawValue> = serde_json::from_str(text).ok();
                match raw.and_then(Row::read) {
                    Some(row) => observe(Observation::Row(&row)),
                    None => Step::Watch,
                }
            }
        };
        match step {
            Step::Done => Wish::Done,
            Step::Read(Pace::Regular { .. }) => Wish::Regular,
            Step::Read(_) => Wish::Read,
            Step::Watch => Wish::Watch,
        }
    }

    /// The end of the operation, as text for people.
    #[must_use]
    pub fn end(&self) -> Option<String> {
        let outcome = self.machine.outcome()?;
        Some(format!("{outcome:?}"))
    }

    /// Whether what is read next may be sent a credential.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.origins.check(self.machine.url()).is_ok()
    }
}

/// Where a wait that is resumed from this token reads first; `None` for a token that is refused by the origin of
/// this endpoint.
#[must_use]
pub fn resumed_at(token: &ResumeToken, endpoint: Url) -> Option<Url> {
    let (machine, _) = Machine::resume(token.parts(), &TrustedOrigins::new(endpoint)).ok()?;
    Some(machine.url().clone())
}

/// Sends a request without a body, waits for the operation that it begins, and gives its result.
///
/// # Errors
///
/// The request is refused, or the operation fails.
pub async fn carry_out(
    workspace: &Workspace,
    method: Method,
    url: Url,
    options: WaitOptions,
) -> Result<Option<String>, Error> {
    let client = workspace.client();
    let verb: HttpVerb = word(method.as_str())
        .ok_or_else(|| Error::new(ErrorKind::Configuration, "this method begins no operation"))?;
    let request = HttpRequest::new(method, url.clone());
    let answer = client
        .send(&request, Sending::Once, Limit::RESOURCE, None)
        .await?;
    let id = &request.client_request_id;
    let version = workspace.api_version();
    let begun = Machine::start(verb, &url, id, version, client.origins(), None, &answer)?;
    let target = (&compute::SUBJECT, url.path().to_owned());
    let mut driver = Driver::new(client.clone(), target, None, begun);
    let result = driver.run(&options).await?;
    Ok(result.map(|result| result.get().to_owned()))
}

fn word<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(Value::from(word)).ok()
}

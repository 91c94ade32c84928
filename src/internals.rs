//! What this package's own benches and fuzz targets need of its inside. No part of the API.

#[cfg(feature = "services")]
mod blobs;
#[cfg(feature = "services")]
pub use blobs::Blobs;

use crate::compute::ComputeResource;
use crate::error::{Error, ErrorKind};
use crate::facts::arm::DEFAULT_API_VERSION;
use crate::json::{Page, Row};
use crate::operation::{Machine, Observation, Pace, Step};
use crate::token::{FinalStateVia, HttpVerb, ResumeToken};
use crate::transport::{Answer, TrustedOrigins};
use serde_json::json;
use serde_json::value::RawValue;
use std::time::Duration;
use url::Url;

const ENDPOINT: &str = "https://management.azure.com";

/// Returns the URL of the compute that all of this is about.
fn resource() -> String {
    format!("{ENDPOINT}/computes/myaks?api-version={DEFAULT_API_VERSION}")
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
    end: Option<String>,
}

/// An answer, as the step sees it.
#[derive(Debug)]
pub struct Seen(Answer);

impl Seen {
    /// An answer of this status, with these headers and this body.
    #[must_use]
    pub fn new(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Self {
        Self(Answer::of(status, headers, body))
    }
}

impl Stepper {
    /// A create that was answered so; `None` if that starts no operation.
    #[must_use]
    pub fn start(first: &Seen) -> Option<Self> {
        Self::begin(HttpVerb::Put, None, first)
    }

    fn begin(verb: HttpVerb, via: Option<FinalStateVia>, first: &Seen) -> Option<Self> {
        let endpoint = Url::parse(ENDPOINT).ok()?;
        let url = Url::parse(&resource()).ok()?;
        let origins = TrustedOrigins::new(endpoint);
        let begun = Machine::start(
            verb,
            &url,
            "id",
            DEFAULT_API_VERSION,
            &origins,
            via,
            &first.0,
        );
        let (machine, _) = begun.ok()?;
        Some(Self {
            machine,
            origins,
            elapsed: Duration::ZERO,
            end: None,
        })
    }

    /// Shows it an answer; says whether it reads on at its regular pace.
    pub fn observe(&mut self, seen: &Seen) -> bool {
        let step = self
            .machine
            .observe(Observation::Answer(&seen.0), self.elapsed);
        matches!(step, Step::Read(Pace::Regular { .. }))
    }

    /// Shows it anything, and holds what must hold whatever it was shown.
    fn show(&mut self, observation: Observation<'_>, expects_answer: bool) {
        self.elapsed += Duration::from_secs(7);
        let step = self.machine.observe(observation, self.elapsed);
        let outcome = self.machine.outcome().map(|outcome| format!("{outcome:?}"));
        assert!(
            self.end.is_none() || self.end == outcome,
            "a second end: {outcome:?} after {:?}",
            self.end
        );
        assert_eq!(step == Step::Done, outcome.is_some(), "{step:?}");
        assert!(!expects_answer || step != Step::Watch);
        if step != Step::Done {
            let url = self.machine.url();
            assert!(self.origins.check(url).is_ok(), "a foreign URL: {url}");
        }
        self.end = outcome;
    }
}

/// Bytes that are taken apart into choices.
struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        Some(all[usize::from(self.next()?) % all.len()])
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.next().unwrap_or_default()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    fn answer(&mut self) -> Option<Seen> {
        let status = self.of(&[
            200, 200, 200, 201, 202, 204, 302, 400, 401, 403, 404, 410, 429, 503,
        ])?;
        let texts = [
            "https://management.azure.com/op?api-version=1",
            "https://management.azure.com/other?c=1&h=2",
            "/relative",
            "https://evil.example/op",
            "//evil.example/op",
            "nonsense",
            "17",
            "-1",
            "1e400",
        ];
        let names = [
            "azure-asyncoperation",
            "operation-location",
            "location",
            "retry-after",
            "retry-after-ms",
        ];
        let mut headers = Vec::new();
        for _ in 0..self.next()? % 4 {
            headers.push((self.of(&names)?, self.of(&texts)?));
        }
        let word = self.of(&WORDS)?;
        let body = match self.next()? % 5 {
            0 => Vec::new(),
            1 => json!({ "status": word }).to_string().into_bytes(),
            2 => json!({ "properties": { "provisioningState": word } })
                .to_string()
                .into_bytes(),
            3 => json!({
                "status": word,
                "error": { "code": "C" },
                "resourceLocation": self.of(&texts)?,
            })
            .to_string()
            .into_bytes(),
            _ => self.bytes().to_vec(),
        };
        Some(Seen::new(status, &headers, &body))
    }
}

const WORDS: [&str; 9] = [
    "Succeeded",
    "Failed",
    "Canceled",
    "InProgress",
    "Creating",
    "Deleting",
    "Updating",
    "",
    "Unheard-Of",
];

/// Shows the step whatever these bytes stand for.
///
/// # Panics
///
/// If something happens that must not.
pub fn fuzz_step(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let _ = walk(&mut choices);
}

fn walk(choices: &mut Choices<'_>) -> Option<()> {
    let verb = choices.of(&[
        HttpVerb::Delete,
        HttpVerb::Patch,
        HttpVerb::Post,
        HttpVerb::Put,
    ])?;
    let via = choices.of(&[
        None,
        Some(FinalStateVia::AzureAsyncOperation),
        Some(FinalStateVia::Location),
        Some(FinalStateVia::OriginalUri),
    ])?;
    let first = choices.answer()?;
    let mut stepper = Stepper::begin(verb, via, &first)?;
    if choices.next()? % 2 == 0 {
        stepper.machine = stepper.machine.made_here();
    }
    loop {
        match choices.next()? % 6 {
            0 => stepper.show(Observation::NoRow, false),
            1 => {
                let kind = choices.of(&[
                    ErrorKind::Protocol,
                    ErrorKind::Timeout,
                    ErrorKind::Transport,
                    ErrorKind::UntrustedUrl,
                ])?;
                let error = Error::new(kind, "unanswered");
                stepper.show(Observation::Unanswered(&error), true);
            }
            2 | 3 => {
                let row = json!({
                    "name": "myaks",
                    "properties": {
                        "provisioningState": choices.of(&WORDS)?,
                        "modifiedOn": choices.of(&["t0", "t1"])?,
                    },
                });
                let raw = RawValue::from_string(row.to_string()).ok()?;
                if let Some(row) = Row::read(&raw) {
                    stepper.show(Observation::Row(&row), false);
                }
            }
            _ => {
                let answer = choices.answer()?;
                stepper.show(Observation::Answer(&answer.0), true);
            }
        }
    }
}

/// Reads these bytes as a token, and resumes from it if it is one.
///
/// # Panics
///
/// If a token does not read back, or leads to a foreign place.
pub fn fuzz_token(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).ok();
    // The checksum refuses nearly everything: what lies behind it is tried, too.
    if let Some(sealed) = text.and_then(ResumeToken::sealed_again) {
        resume_from(&sealed);
    }
    if let Some(text) = text {
        resume_from(text);
    }
}

fn resume_from(text: &str) {
    let Ok(token) = ResumeToken::parse(text) else {
        return;
    };
    assert_eq!(
        ResumeToken::parse(&token.expose()).ok().as_ref(),
        Some(&token)
    );
    let Ok(endpoint) = Url::parse(ENDPOINT) else {
        return;
    };
    let origins = TrustedOrigins::new(endpoint);
    if let Ok((machine, _)) = Machine::resume(token.parts(), &origins) {
        assert!(origins.check(machine.url()).is_ok(), "a foreign URL");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::TokenResource;
    use proptest::prelude::*;

    fn token() -> ResumeToken {
        ResumeToken::of_request(
            TokenResource::Compute("AKS".into()),
            (crate::Verb::Create, HttpVerb::Put),
            &resource(),
            None,
            "id",
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2000,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// What the fuzz target of the step does, for as long as a test may take.
        #[test]
        fn the_step_holds_whatever_it_is_shown(
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            fuzz_step(&bytes);
        }

        /// What the fuzz target of the token does, from a good one with a few bytes changed.
        #[test]
        fn a_token_with_changed_bytes_is_refused_or_good(
            changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..4),
        ) {
            let mut bytes = token().expose().into_bytes();
            for (place, byte) in changes {
                let place = place % bytes.len();
                bytes[place] = byte;
            }
            fuzz_token(&bytes);
        }
    }

    #[test]
    fn the_walk_reaches_every_sort_of_end() {
        let mut ends = std::collections::BTreeSet::new();
        let mut state = 1u64;
        for _ in 0..3000 {
            let bytes: Vec<u8> = (0..200)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (state >> 40) as u8
                })
                .collect();
            let mut choices = Choices(&bytes[2..]);
            let first = choices.answer().unwrap();
            let Some(mut stepper) = Stepper::start(&first) else {
                continue;
            };
            while let Some(answer) = choices.answer() {
                stepper.show(Observation::Answer(&answer.0), true);
            }
            if let Some(end) = stepper.end {
                ends.insert(end.split(['(', ' ']).next().unwrap().to_owned());
            }
        }
        let ends: Vec<_> = ends.into_iter().collect();
        assert_eq!(ends, ["Failed", "Lost", "Succeeded", "Unfetched"]);
    }
}

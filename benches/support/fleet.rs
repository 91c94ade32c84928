//! The server of very many waiters: workspaces whose computes come with a PUT, are created
//! for a while, and are then ready, all by the clock.

use super::BoxError;
use super::body::{self, PAGE};
use super::contestants::API_VERSION;
use super::server::{Answers, Pieces};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The content of a server.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) workspaces: usize,
    /// In each of them.
    pub(crate) computes: usize,
    /// How long a create takes.
    pub(crate) takes: Duration,
    /// `Retry-After` in seconds, on the answer to a PUT and on the status while it runs.
    pub(crate) hint: Option<u64>,
    /// Whether all creates begin, and so end, together: at [`BEGIN`]. Else each begins with its PUT.
    pub(crate) together: bool,
    /// Whether polling URLs are signed, as ARM's are since 2023.
    pub(crate) signed: bool,
}

/// Where the status of an operation is read: as long as the service's own URLs, with and without a
/// signature.
pub(crate) fn monitor(origin: &str, workspace: usize, number: usize, signed: bool) -> String {
    let signature = match signed {
        true => signature(workspace * 1_000_000 + number),
        false => String::new(),
    };
    format!(
        "{origin}/subscriptions/6f3a7f2c-51b0-4c0e-9f8e-2d1c6a5b4e30/providers/\
         Microsoft.MachineLearningServices/locations/westeurope{STATUS}\
         {workspace:08}-51b0-4c0e-9f8e-{number:012}?api-version={API_VERSION}&service=new{signature}"
    )
}

/// When it was signed, the certificate, the signature and a hash. The certificate is the same for all
/// operations, the rest is of one.
fn signature(operation: usize) -> String {
    let time = 638_300_000_000_000_000 + operation;
    let certificate = base64url(0, 2_575);
    let signed = base64url(operation, 342);
    let hash = base64url(operation, 43);
    format!("&t={time}&c={certificate}&s={signed}&h={hash}")
}

/// So many characters of base64url, another text for every seed.
fn base64url(seed: usize, length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = seed as u64;
    let characters = (0..length).map(|_| {
        // Knuth's generator: its high bits are good enough to look like a signature.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(ALPHABET[(state >> 58) as usize])
    });
    characters.collect()
}

/// The wait begins: the figures of the [`Report`] begin anew.
pub(crate) const BEGIN: &str = "control/begin";
/// Gives the [`Report`].
pub(crate) const REPORT: &str = "control/report";

/// The requests that a server has seen since the wait began, the control itself apart from its connection.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) connections: usize,
    pub(crate) most_connections: usize,
    /// Opened since.
    pub(crate) new_connections: usize,
    pub(crate) lists: usize,
    pub(crate) monitors: usize,
    pub(crate) computes: usize,
    /// PUTs, reads of the workspace, and what there is no answer for.
    pub(crate) others: usize,
}

pub(crate) fn workspace(number: usize) -> String {
    format!("{WORKSPACE}{number}")
}

pub(crate) fn compute(number: usize) -> String {
    format!("{COMPUTE}{number:05}")
}

const WORKSPACE: &str = "fleet-";
/// Without a hyphen before the digits, which the service refuses.
const COMPUTE: &str = "scoring";
const STATUS: &str = "/computeOperationsStatus/";
const OK: &str = "200 OK";

pub(crate) struct Fleet {
    plan: Plan,
    origin: String,
    /// By workspace and compute.
    rows: Vec<Vec<[Row; 2]>>,
    running: Vec<u8>,
    succeeded: Vec<u8>,
    absent: Vec<u8>,
    place: Vec<u8>,
    done: Vec<u8>,
    state: Mutex<State>,
}

/// A compute in one state: the whole answer to a GET, and where its body begins.
struct Row {
    answer: Vec<u8>,
    body: usize,
}

const CREATING: usize = 0;
const READY: usize = 1;

struct State {
    report: Report,
    begun: Option<Instant>,
    /// When each compute was PUT, by workspace and compute.
    put: Vec<Vec<Option<Instant>>>,
}

impl Fleet {
    pub(crate) fn new(plan: Plan, origin: String) -> Self {
        let hint = plan.hint;
        let hint = hint.map_or(String::new(), |hint| format!("Retry-After: {hint}\r\n"));
        let row = |workspace: &str, name: &str, state| {
            let document = body::compute_of(workspace, name, state);
            let head = body::head(document.len());
            let body = head.len();
            Row {
                answer: (head + &document).into_bytes(),
                body,
            }
        };
        let rows = (0..plan.workspaces).map(workspace).map(|workspace| {
            let names = (0..plan.computes).map(compute);
            names
                .map(|name| ["Creating", "Succeeded"].map(|state| row(&workspace, &name, state)))
                .collect()
        });
        Self {
            plan,
            origin,
            rows: rows.collect(),
            running: whole(OK, &hint, r#"{"status":"InProgress"}"#),
            succeeded: whole(OK, "", r#"{"status":"Succeeded"}"#),
            absent: whole(
                "404 Not Found",
                "",
                r#"{"error":{"code":"ResourceNotFound","message":"There is no such compute."}}"#,
            ),
            place: whole(OK, "", r#"{"location":"westeurope"}"#),
            done: whole(OK, "", "{}"),
            state: Mutex::new(State {
                report: Report::default(),
                begun: None,
                put: vec![vec![None; plan.computes]; plan.workspaces],
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which row a compute shows, if it was PUT.
    fn shown(&self, state: &State, workspace: usize, number: usize) -> Option<&Row> {
        let put = (*state.put.get(workspace)?.get(number)?)?;
        let begun = if self.plan.together {
            state.begun
        } else {
            Some(put)
        };
        let is_ready = begun.is_some_and(|begun| begun.elapsed() >= self.plan.takes);
        let row = if is_ready { READY } else { CREATING };
        Some(&self.rows[workspace][number][row])
    }

    fn monitor(&self, state: &mut State, id: &str) -> Option<&[u8]> {
        state.report.monitors += 1;
        // As long as the service's own ids, which are UUIDs.
        let (workspace, rest) = id.split_once('-')?;
        let number = rest.rsplit_once('-')?.1;
        let (workspace, number) = (workspace.parse().ok()?, number.parse().ok()?);
        let row = self.shown(state, workspace, number)?;
        let is_ready = std::ptr::eq(row, &raw const self.rows[workspace][number][READY]);
        Some(if is_ready {
            &self.succeeded
        } else {
            &self.running
        })
    }

    fn put(&self, state: &mut State, workspace: usize, number: usize) -> Option<Vec<u8>> {
        state.report.others += 1;
        *state.put.get_mut(workspace)?.get_mut(number)? = Some(Instant::now());
        let row = &self.rows[workspace][number][CREATING];
        let monitor = monitor(&self.origin, workspace, number, self.plan.signed);
        let mut more = format!("Azure-AsyncOperation: {monitor}\r\n");
        if let Some(hint) = self.plan.hint {
            more += &format!("Retry-After: {hint}\r\n");
        }
        let document = &row.answer[row.body..];
        let mut answer = body::head_with("201 Created", document.len(), &more).into_bytes();
        answer.extend_from_slice(document);
        Some(answer)
    }

    fn page(&self, state: &mut State, workspace: usize, path: &str) -> Option<Pieces<'_>> {
        const START: &[u8] = br#"{"value":["#;
        state.report.lists += 1;
        let (first, skipped) = match path.split_once("&$skiptoken=") {
            Some((first, skipped)) => (first, skipped.parse().ok()?),
            None => (path, 0),
        };
        let put = state.put.get(workspace)?.len();
        let end = put.min(skipped + PAGE);
        let mut page = START.to_vec();
        for number in skipped..end {
            if let Some(row) = self.shown(state, workspace, number) {
                if page.len() > START.len() {
                    page.push(b',');
                }
                page.extend_from_slice(&row.answer[row.body..]);
            }
        }
        let rest = if end < put {
            format!(
                r#"],"nextLink":"{}{first}&$skiptoken={end}"}}"#,
                self.origin
            )
        } else {
            "]}".to_owned()
        };
        let head = body::head(page.len() + rest.len());
        Some([
            Cow::Owned(head.into_bytes()),
            Cow::Owned(page),
            Cow::Owned(rest.into_bytes()),
        ])
    }

    fn control(&self, state: &mut State, path: &str) -> Result<Pieces<'_>, BoxError> {
        if path.ends_with(BEGIN) {
            let connections = state.report.connections;
            state.report = Report {
                connections,
                most_connections: connections,
                ..Report::default()
            };
            state.begun = Some(Instant::now());
            return Ok(one(&self.done));
        }
        let report = serde_json::to_string(&state.report)?;
        Ok([
            Cow::Owned(whole(OK, "", &report)),
            Cow::default(),
            Cow::default(),
        ])
    }
}

impl Answers for Fleet {
    fn answer(&self, method: &str, path: &str) -> Result<Pieces<'_>, BoxError> {
        let mut state = self.state();
        let state = &mut *state;
        if let Some((_, id)) = path.split_once(STATUS) {
            let id = id.split('?').next().unwrap_or_default();
            return Ok(one(self.monitor(state, id).unwrap_or(&self.absent)));
        }
        let Some((_, rest)) = path.split_once(WORKSPACE) else {
            return self.control(state, path);
        };
        let mut parts = rest.split(['/', '?']);
        let workspace: usize = parts.next().unwrap_or_default().parse()?;
        let (collection, name) = (parts.next(), parts.next().unwrap_or_default());
        if collection != Some("computes") {
            state.report.others += 1;
            return Ok(one(&self.place));
        }
        let Some(number) = name.strip_prefix(COMPUTE) else {
            let page = self.page(state, workspace, path);
            return Ok(page.ok_or("no such list")?);
        };
        let number = number.parse()?;
        if method == "PUT" {
            let answer = self.put(state, workspace, number);
            let answer = answer.ok_or("no room for such a compute")?;
            return Ok([Cow::Owned(answer), Cow::default(), Cow::default()]);
        }
        state.report.computes += 1;
        let row = self.shown(state, workspace, number);
        Ok(one(row.map_or(&self.absent, |row| &row.answer)))
    }

    fn connected(&self) {
        let report = &mut self.state().report;
        report.connections += 1;
        report.new_connections += 1;
        report.most_connections = report.most_connections.max(report.connections);
    }

    fn disconnected(&self) {
        self.state().report.connections -= 1;
    }
}

fn one(answer: &[u8]) -> Pieces<'_> {
    [Cow::Borrowed(answer), Cow::default(), Cow::default()]
}

fn whole(status: &str, more: &str, body: &str) -> Vec<u8> {
    (body::head_with(status, body.len(), more) + body).into_bytes()
}

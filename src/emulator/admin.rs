//! `/_emulator/…`: what Rust does through methods, for clients in other languages.

use std::time::Duration;

use serde_json::{Value, json};
use url::{Host, Url};

use super::call::Call;
use super::error::ArmError;
use super::faults::Fault;
use super::http::{Answer, Incoming};
use super::journal::JournalEntry;
use super::routes::Reply;

const DONE: u16 = 204;

/// Refuses what a web page in a browser of this machine can send: these routes need no token.
///
/// A page of another origin sends its `Origin`. One whose own name was led to loopback, to be of the same
/// origin, has that name in `Host`. JSON is refused to pages by the browser itself.
pub(crate) fn check_sender(request: &Incoming) -> Result<(), ArmError> {
    if request.headers.contains_key("origin") {
        return Err(ArmError::new(
            403,
            "OriginNotAllowed",
            "The admin routes take no request with an Origin header, as browsers send it for web pages.",
        ));
    }
    let mut hosts = request.headers.get_all("host").iter();
    if !request.any_host && !hosts.all(|host| host.to_str().is_ok_and(is_local)) {
        return Err(ArmError::new(
            403,
            "HostNotAllowed",
            "The admin routes take only requests whose Host is localhost or an IP address.",
        ));
    }
    let kind = request.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !request.body.is_empty() && !kind.eq_ignore_ascii_case("application/json") {
        return Err(ArmError::new(
            415,
            "UnsupportedMediaType",
            "The admin routes take bodies only as application/json.",
        ));
    }
    Ok(())
}

/// Returns whether a `Host` header is `localhost` or an address, which no name server can redirect.
fn is_local(host: &str) -> bool {
    let url = Url::parse(&format!("http://{host}"));
    url.is_ok_and(|url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    })
}

pub(crate) fn health(call: Call<'_>) -> Reply {
    let config = call.config;
    // Neither is secret: a client that knows the plain address may find the encrypted one and trust it.
    let (https, ca) = call.state.https.clone().unzip();
    Ok(Answer::json(
        200,
        &json!({
            "status": "ok",
            "subscription": config.subscription,
            "resourceGroup": config.resource_group,
            "workspace": config.workspace,
            "location": config.location,
            "https": https,
            "ca": ca,
            "journalDropped": call.state.journal.dropped(),
        }),
    ))
}

/// Injects one fault or a list of them: all are read before one is injected.
pub(crate) fn inject(call: Call<'_>) -> Reply {
    let faults = match call.body()? {
        Value::Array(faults) => faults,
        fault => vec![fault],
    };
    let faults = faults.into_iter().map(Fault::from_json);
    for fault in faults.collect::<Result<Vec<_>, _>>()? {
        call.state.faults.push(fault);
    }
    Ok(Answer::empty(DONE))
}

pub(crate) fn clear_faults(call: Call<'_>) -> Reply {
    call.state.faults.clear();
    Ok(Answer::empty(DONE))
}

pub(crate) fn journal(call: Call<'_>) -> Reply {
    let entries = call.state.journal.entries();
    let entries = entries.map(JournalEntry::to_value).collect();
    Ok(Answer::json(200, &Value::Array(entries)))
}

pub(crate) fn clear_journal(call: Call<'_>) -> Reply {
    call.state.journal.clear();
    Ok(Answer::empty(DONE))
}

pub(crate) fn advance(call: Call<'_>) -> Reply {
    let by = call.body()?["seconds"]
        .as_f64()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| {
            ArmError::bad_request("The body must be {\"seconds\": a number not below 0}.")
        })?;
    call.state.time.advance(by);
    call.state.settle(call.config);
    Ok(Answer::empty(DONE))
}

pub(crate) fn finish(call: Call<'_>) -> Reply {
    call.state.finish(call.config);
    Ok(Answer::empty(DONE))
}

pub(crate) fn set_swagger(call: Call<'_>) -> Reply {
    let (name, document) = (call.name("service").to_ascii_lowercase(), call.body()?);
    call.state.services.swagger.insert(name, document);
    Ok(Answer::empty(DONE))
}

pub(crate) fn set_log(call: Call<'_>) -> Reply {
    let name = call.name("service").to_ascii_lowercase();
    let Value::String(text) = call.body()? else {
        return Err(ArmError::bad_request("The body must be a JSON string."));
    };
    call.state.services.logs.insert(name, text);
    Ok(Answer::empty(DONE))
}

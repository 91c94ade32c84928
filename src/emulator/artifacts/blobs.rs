//! The blob store: what of Azure Storage's REST interface block blobs need, under a SAS.

use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::time::Duration;

use azure_core::base64;
use azure_core::time::to_rfc7231;
use md5::{Digest, Md5};

use super::blob_store::{Blob, Block, Content, Taken, not_found};
use super::sas;
use crate::emulator::call::Call;
use crate::emulator::error::ArmError;
use crate::emulator::http::{Answer, Incoming};
use crate::emulator::routes::Reply;
use crate::emulator::state::{Config, State};

/// Headers of Azure Storage that are understood, beside those that every request may have.
const KNOWN_HEADERS: [&str; 9] = [
    "x-ms-version",
    "x-ms-date",
    "x-ms-client-request-id",
    "x-ms-client-session-id",
    "x-ms-return-client-request-id",
    "x-ms-blob-type",
    "x-ms-blob-content-type",
    "x-ms-blob-content-md5",
    "x-ms-range",
];

/// The most bytes that a block's id may have.
const LONGEST_ID: usize = 64;

/// The most blocks that a blob may have.
const MOST_BLOCKS: usize = 50_000;

/// A refusal in the words of Azure Storage.
pub(crate) fn refusal(request: &Incoming, error: &ArmError) -> Answer {
    let message = error
        .message
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{}</Code><Message>{message}\
         </Message></Error>",
        error.code
    );
    let answer = Answer::raw(error.status, "application/xml", body)
        .with("x-ms-error-code", &error.code)
        .with("x-ms-version", version(request));
    match request.method.as_str() {
        "HEAD" => answer.without_body(),
        _ => answer,
    }
}

/// The version of Azure Storage that a request names.
fn version(request: &Incoming) -> &str {
    request.header("x-ms-version").unwrap_or(sas::VERSION)
}

fn unsupported(what: impl std::fmt::Display) -> ArmError {
    ArmError::unsupported(format!("{what} is not supported."))
}

pub(crate) fn serve(call: Call<'_>) -> Reply {
    let (path, request) = (call.name("*"), call.request);
    let state = call.state;
    let comp = request.parameter("comp");
    let method = request.method.as_str();
    let wanted = match (method, comp.as_deref()) {
        ("PUT", None | Some("block" | "blocklist")) => 'w',
        ("GET" | "HEAD", None) | ("GET", Some("blocklist")) => 'r',
        _ => {
            let comp = comp.map(|comp| format!("comp={comp}")).unwrap_or_default();
            return Err(ArmError::new(
                405,
                "UnsupportedByEmulator",
                format!("The emulator does not serve {method} {comp} on a blob."),
            ));
        }
    };
    let now = state.time.now();
    check_signature(call.config, state, request, path, wanted)?;
    check_surroundings(request, method, comp.as_deref())?;
    let blobs = &mut state.store.blobs;
    let answer = match (wanted, comp.as_deref()) {
        ('w', None) => {
            if request.header("x-ms-blob-type") != Some("BlockBlob") {
                return Err(unsupported("A blob whose x-ms-blob-type is not BlockBlob"));
            }
            check_absent(request, blobs.get(path))?;
            let sum = check_md5(request)?;
            let mut content = content(request);
            content.md5 = content.md5.or(sum);
            blobs.check_room(path, request.body.len())?;
            let blob = blobs.put(path, request.body.clone(), content, now).clone();
            tagged(state, Answer::empty(201), &blob)
        }
        ('w', Some("block")) => {
            check_md5(request)?;
            blobs.stage(path, block(request)?)?;
            Answer::empty(201)
        }
        ('w', _) => {
            check_absent(request, blobs.get(path))?;
            check_md5(request)?;
            let list = block_list(&request.body).ok_or_else(|| {
                ArmError::new(
                    400,
                    "InvalidXmlDocument",
                    "The XML is not a list of blocks.",
                )
            })?;
            if list.len() > MOST_BLOCKS {
                return Err(ArmError::new(
                    400,
                    "BlockListTooLong",
                    format!("The block list may not contain more than {MOST_BLOCKS} blocks."),
                ));
            }
            let blob = blobs.commit(path, &list, content(request), now)?.clone();
            tagged(state, Answer::empty(201), &blob)
        }
        (_, Some(_)) => {
            let staged = blobs.staged(path).ok_or_else(not_found)?;
            let shown = show_lists(request, blobs.get(path), staged)?;
            match blobs.get(path).cloned() {
                Some(blob) => tagged(state, shown, &blob)
                    .with("x-ms-blob-content-length", blob.length().to_string()),
                None => shown.with("x-ms-blob-content-length", "0"),
            }
        }
        _ => {
            let blob = blobs.get(path).ok_or_else(not_found)?.clone();
            read(state, request, &blob)?
        }
    };
    Ok(answer
        .with("x-ms-request-server-encrypted", "true")
        .with("x-ms-version", version(request)))
}

/// Whether this request may write the blob of this path.
pub(crate) fn may_write(config: &Config, state: &State, request: &Incoming, path: &str) -> bool {
    check_signature(config, state, request, path, 'w').is_ok()
}

fn check_signature(
    config: &Config,
    state: &State,
    request: &Incoming,
    path: &str,
    wanted: char,
) -> Result<(), ArmError> {
    let now = state.time.date(state.time.now());
    sas::check(&config.workspace_id, path, request, now, wanted)
}

/// Refuses query parameters, conditions and storage headers that would not be heeded.
fn check_surroundings(
    request: &Incoming,
    method: &str,
    comp: Option<&str>,
) -> Result<(), ArmError> {
    let known: &[&str] = match comp {
        Some("block") => &["comp", "timeout", "blockid"],
        Some(_) if method == "GET" => &["comp", "timeout", "blocklisttype"],
        Some(_) => &["comp", "timeout"],
        None => &["timeout"],
    };
    if let Some((key, _)) = request
        .parameters()
        .find(|(key, _)| !known.contains(&key.as_str()) && !sas::PARAMETERS.contains(&key.as_str()))
    {
        return Err(unsupported(format!("The query parameter '{key}'")));
    }
    for name in request.headers.keys().map(|name| name.as_str()) {
        let condition = match name {
            "if-none-match" => method == "PUT" && comp != Some("block"),
            "if-match" => method != "PUT",
            _ => !name.starts_with("if-"),
        };
        if !condition || name.starts_with("x-ms-") && !KNOWN_HEADERS.contains(&name) {
            return Err(unsupported(format!("The header '{name}'")));
        }
    }
    Ok(())
}

/// `If-None-Match: *` writes only what is not there yet.
fn check_absent(request: &Incoming, blob: Option<&Blob>) -> Result<(), ArmError> {
    match request.header("if-none-match") {
        None => Ok(()),
        Some("*") if blob.is_none() => Ok(()),
        Some("*") => Err(ArmError::new(
            409,
            "BlobAlreadyExists",
            "The specified blob already exists.",
        )),
        Some(_) => Err(unsupported("If-None-Match with another value than *")),
    }
}

/// Checks the body against `Content-MD5`, if it is there, and returns it.
fn check_md5(request: &Incoming) -> Result<Option<String>, ArmError> {
    let Some(given) = request.header("content-md5") else {
        return Ok(None);
    };
    if base64::encode(Md5::digest(&request.body)) == given {
        return Ok(Some(given.to_owned()));
    }
    Err(ArmError::new(
        400,
        "Md5Mismatch",
        "The MD5 value specified in the request did not match the MD5 value calculated by the \
         server.",
    ))
}

fn content(request: &Incoming) -> Content {
    let header = |name| request.header(name).map(str::to_owned);
    // The type of a request that commits a list is that of the list.
    let own = || {
        request
            .parameter("comp")
            .is_none()
            .then(|| header("content-type"))
            .flatten()
    };
    Content {
        kind: header("x-ms-blob-content-type").or_else(own),
        md5: header("x-ms-blob-content-md5"),
    }
}

fn block(request: &Incoming) -> Result<Block, ArmError> {
    let refuse = |what: &str| {
        Err(ArmError::new(
            400,
            "InvalidQueryParameterValue",
            format!("Value for one of the query parameters is invalid: blockid {what}."),
        ))
    };
    let id = request.parameter("blockid").unwrap_or_default();
    match base64::decode(&id) {
        Ok(bytes) if (1..=LONGEST_ID).contains(&bytes.len()) => {}
        Ok(_) => return refuse("must have 1 to 64 bytes"),
        Err(_) => return refuse("is not base64"),
    }
    if request.body.is_empty() {
        return Err(ArmError::new(
            400,
            "InvalidHeaderValue",
            "A block must not be empty.",
        ));
    }
    Ok(Block {
        id,
        bytes: request.body.clone(),
    })
}

/// The elements of `<BlockList>`. The few forms that the document can have are read by hand.
fn block_list(body: &[u8]) -> Option<Vec<(Taken, String)>> {
    let mut rest = std::str::from_utf8(body)
        .ok()?
        .trim_start_matches('\u{feff}')
        .trim();
    if let Some(declared) = rest.strip_prefix("<?xml") {
        rest = declared.split_once("?>")?.1.trim_start();
    }
    if rest == "<BlockList/>" || rest == "<BlockList />" {
        return Some(Vec::new());
    }
    rest = rest
        .strip_prefix("<BlockList>")?
        .strip_suffix("</BlockList>")?
        .trim();
    let mut list = Vec::new();
    while !rest.is_empty() {
        let (name, after) = rest.strip_prefix('<')?.split_once('>')?;
        let from = match name {
            "Committed" => Taken::Committed,
            "Uncommitted" => Taken::Uncommitted,
            "Latest" => Taken::Latest,
            _ => return None,
        };
        let (id, after) = after.split_once("</")?;
        rest = after.strip_prefix(name)?.strip_prefix('>')?.trim_start();
        list.push((from, id.trim().to_owned()));
    }
    Some(list)
}

fn show_lists(request: &Incoming, blob: Option<&Blob>, staged: &[Block]) -> Reply {
    let kind = request.parameter("blocklisttype");
    let (with_committed, with_staged) = match kind.as_deref().unwrap_or("committed") {
        "committed" => (true, false),
        "uncommitted" => (false, true),
        "all" => (true, true),
        other => return Err(unsupported(format!("blocklisttype {other}"))),
    };
    let mut xml = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>".to_owned();
    let mut list = |name: &str, blocks: &[Block]| {
        let _ = write!(xml, "<{name}>");
        for block in blocks.iter().filter(|block| !block.id.is_empty()) {
            let _ = write!(
                xml,
                "<Block><Name>{}</Name><Size>{}</Size></Block>",
                block.id,
                block.bytes.len()
            );
        }
        let _ = write!(xml, "</{name}>");
    };
    if with_committed {
        let blocks = blob.map(|blob| blob.blocks.as_slice());
        list("CommittedBlocks", blocks.unwrap_or_default());
    }
    if with_staged {
        list("UncommittedBlocks", staged);
    }
    xml.push_str("</BlockList>");
    Ok(Answer::raw(200, "application/xml", xml))
}

/// The blob's content or a range of it, or only the headers.
fn read(state: &State, request: &Incoming, blob: &Blob) -> Reply {
    if let Some(tag) = request.header("if-match")
        && tag != "*"
        && tag != blob.etag
    {
        return Err(ArmError::new(
            412,
            "ConditionNotMet",
            "The condition specified using HTTP conditional header(s) is not met.",
        ));
    }
    let length = blob.length();
    let kind = blob.content.kind.as_deref();
    let kind = kind.unwrap_or("application/octet-stream");
    let head = request.method == "HEAD";
    let range = request.header("x-ms-range").or(request.header("range"));
    let (answer, md5_header) = match range {
        // A HEAD has no range in Azure Storage.
        Some(range) if !head => {
            let range = byte_range(range, length)?;
            let shown = format!("bytes {}-{}/{length}", range.start(), range.end());
            let bytes = blob.read(*range.start()..range.end() + 1);
            let answer = Answer::raw(206, kind, bytes).with("Content-Range", shown);
            (answer, "x-ms-blob-content-md5")
        }
        _ if head => {
            let answer = Answer::empty(200)
                .with("Content-Type", kind)
                .with("Content-Length", length.to_string());
            (answer, "Content-MD5")
        }
        _ => (Answer::raw(200, kind, blob.all()), "Content-MD5"),
    };
    let date = |at: Duration| to_rfc7231(&state.time.date(at));
    let mut answer = tagged(state, answer, blob)
        .with("Accept-Ranges", "bytes")
        .with("x-ms-blob-type", "BlockBlob")
        .with("x-ms-creation-time", date(blob.created))
        .with("x-ms-lease-status", "unlocked")
        .with("x-ms-lease-state", "available");
    if let Some(md5) = &blob.content.md5 {
        answer = answer.with(md5_header, md5);
    }
    Ok(answer)
}

fn tagged(state: &State, answer: Answer, blob: &Blob) -> Answer {
    answer
        .with("ETag", &blob.etag)
        .with("Last-Modified", to_rfc7231(&state.time.date(blob.modified)))
}

/// `bytes=first-last` or `bytes=first-`; what reaches beyond the end ends there.
fn byte_range(text: &str, length: usize) -> Result<RangeInclusive<usize>, ArmError> {
    let bounds = text
        .strip_prefix("bytes=")
        .and_then(|bounds| bounds.split_once('-'))
        .and_then(|(first, last)| {
            let first: usize = first.parse().ok()?;
            let last = match last {
                "" => usize::MAX,
                last => last.parse().ok()?,
            };
            (first <= last).then_some((first, last))
        });
    let Some((first, last)) = bounds else {
        return Err(unsupported(format!("The range '{text}'")));
    };
    if first >= length {
        return Err(ArmError::new(
            416,
            "InvalidRange",
            "The range specified is invalid for the current size of the resource.",
        ));
    }
    Ok(first..=last.min(length - 1))
}

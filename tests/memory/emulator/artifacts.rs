//! Artifacts and their blobs.

use std::collections::HashMap;
use std::time::Duration;

use azure_core::http::{Method, Request, Url};
use azureml_aks::emulator::{Clock, Emulator, Fault};
use serde_json::{Value, json};

use crate::support::raw::*;

pub(crate) const HISTORY: &str = "https://history.example";

/// The URL of a service under a prefix of its own.
pub(crate) fn plane(emulator: &Emulator, prefix: &str, rest: &str) -> String {
    let workspace = workspace_url(emulator).replace("https://management.azure.com", "");
    format!("{HISTORY}/{prefix}{workspace}/{rest}")
}

fn artifacts(emulator: &Emulator, rest: &str) -> String {
    plane(emulator, "artifact/v2.0", &format!("artifacts/{rest}"))
}

/// A blob's answer, its body as it is.
struct Stored {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Stored {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

async fn store(
    emulator: &Emulator,
    method: Method,
    url: &str,
    headers: &[(&'static str, &'static str)],
    body: &[u8],
) -> Stored {
    let mut request = Request::new(Url::parse(url).unwrap(), method);
    for (name, value) in headers {
        request.insert_header(*name, *value);
    }
    request.set_body(body.to_vec());
    let answer = emulator
        .http_client()
        .execute_request(&request)
        .await
        .unwrap();
    let (status, headers, body) = answer.deconstruct();
    Stored {
        status: u16::from(status),
        headers: headers
            .iter()
            .map(|(name, value)| (name.as_str().to_lowercase(), value.as_str().to_owned()))
            .collect(),
        body: body.collect().await.unwrap().to_vec(),
    }
}

const WHOLE: &[(&str, &str)] = &[("x-ms-blob-type", "BlockBlob"), ("if-none-match", "*")];

/// Asks for artifacts and returns the answer.
async fn ask(emulator: &Emulator, container: &str, paths: &[&str]) -> Reply {
    let paths: Vec<Value> = paths.iter().map(|path| json!({ "path": path })).collect();
    let url = artifacts(emulator, &format!("batch/metadata/LocalUpload/{container}"));
    let body = json!({ "paths": paths });
    send(emulator, Method::Post, &url, Some(&body)).await
}

fn content_uri(reply: &Reply, path: &str) -> String {
    reply.body["artifactContentInformation"][path]["contentUri"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Uploads one file, and returns the id of its artifact.
pub(crate) async fn upload(
    emulator: &Emulator,
    container: &str,
    path: &str,
    body: &[u8],
) -> String {
    let uri = content_uri(&ask(emulator, container, &[path]).await, path);
    let stored = store(emulator, Method::Put, &uri, WHOLE, body).await;
    assert_eq!(stored.status, 201, "{}", stored.text());
    format!("LocalUpload/{container}/{path}")
}

/// A URL to read an artifact by.
async fn reading(emulator: &Emulator, id: &str) -> String {
    let reply = read(emulator, &artifacts(emulator, &format!("contentinfo/{id}"))).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    reply.body["contentUri"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn file_goes_up_and_comes_down() {
    let emulator = Emulator::new();
    let reply = ask(&emulator, "c", &["model.pkl", "folder/a b#c.txt"]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["errors"], json!({}));
    let artifact = &reply.body["artifacts"]["model.pkl"];
    assert_eq!(artifact["artifactId"], "LocalUpload/c/model.pkl");
    assert_eq!(artifact["origin"], "LocalUpload");
    assert_eq!(
        (&artifact["container"], &artifact["path"]),
        (&json!("c"), &json!("model.pkl"))
    );
    assert!(artifact["createdTime"].is_string());
    let uri = content_uri(&reply, "folder/a b#c.txt");
    assert!(
        uri.starts_with(
            "https://emulatorstorage.blob.core.windows.net/azureml/LocalUpload/c/folder/a%20b%23c.txt?sv="
        ),
        "{uri}"
    );
    for part in ["&sr=b", "&se=", "&sp=rw", "&sig="] {
        assert!(uri.contains(part), "{part}: {uri}");
    }
    // Nothing is there before it is written.
    let before = store(&emulator, Method::Head, &uri, &[], b"").await;
    assert_eq!(
        (before.status, before.header("x-ms-error-code")),
        (404, "BlobNotFound")
    );
    assert!(before.body.is_empty());
    assert_eq!(emulator.artifact("LocalUpload/c/folder/a b#c.txt"), None);

    let written = store(&emulator, Method::Put, &uri, WHOLE, b"0123456789").await;
    assert_eq!(written.status, 201, "{}", written.text());
    assert!(written.header("etag").starts_with('"') && !written.header("last-modified").is_empty());
    let again = store(&emulator, Method::Put, &uri, WHOLE, b"other").await;
    assert_eq!(
        (again.status, again.header("x-ms-error-code")),
        (409, "BlobAlreadyExists")
    );
    assert!(
        again.text().contains("<Code>BlobAlreadyExists</Code>"),
        "{}",
        again.text()
    );
    assert_eq!(
        emulator.artifact("LocalUpload/c/folder/a b#c.txt").unwrap(),
        b"0123456789"
    );

    let url = reading(&emulator, "LocalUpload/c/folder/a%20b%23c.txt").await;
    let head = store(&emulator, Method::Head, &url, &[], b"").await;
    assert_eq!((head.status, head.header("content-length")), (200, "10"));
    assert_eq!(head.header("etag"), written.header("etag"));
    let all = store(&emulator, Method::Get, &url, &[], b"").await;
    assert_eq!((all.status, &all.body[..]), (200, &b"0123456789"[..]));
    assert_eq!(all.header("x-ms-blob-type"), "BlockBlob");
    for (range, status, shown, body) in [
        ("bytes=2-4", 206, "bytes 2-4/10", &b"234"[..]),
        ("bytes=7-", 206, "bytes 7-9/10", b"789"),
        ("bytes=0-99", 206, "bytes 0-9/10", b"0123456789"),
    ] {
        for header in ["range", "x-ms-range"] {
            let part = store(&emulator, Method::Get, &url, &[(header, range)], b"").await;
            assert_eq!((part.status, part.header("content-range")), (status, shown));
            assert_eq!(part.body, body);
        }
    }
    let beyond = store(&emulator, Method::Get, &url, &[("range", "bytes=10-")], b"").await;
    assert_eq!(
        (beyond.status, beyond.header("x-ms-error-code")),
        (416, "InvalidRange")
    );
    let changed = store(
        &emulator,
        Method::Get,
        &url,
        &[("if-match", "\"other\"")],
        b"",
    )
    .await;
    assert_eq!(changed.status, 412);
}

#[tokio::test(start_paused = true)]
async fn signature_is_checked_for_time_permission_and_place() {
    let emulator = Emulator::builder()
        .clock(Clock::Manual)
        .sas_duration(Duration::from_secs(600))
        .build();
    let id = upload(&emulator, "c", "m", b"x").await;
    let url = reading(&emulator, &id).await;
    let get = async |url: &str| store(&emulator, Method::Get, url, &[], b"").await;
    assert_eq!(get(&url).await.status, 200);
    // What may be read may not be written.
    let refused = store(&emulator, Method::Put, &url, WHOLE, b"y").await;
    assert_eq!(
        (refused.status, refused.header("x-ms-error-code")),
        (403, "AuthorizationPermissionMismatch")
    );
    let (bare, _) = url.split_once('?').unwrap();
    for forged in [
        bare.to_owned(),
        url.replace("/c/m?", "/c/n?"),
        url.replace("sp=r", "sp=rw"),
        url.replace("se=20", "se=21"),
        url.replace("&sig=", "&sig=A"),
        url.split("&sig=").next().unwrap().to_owned(),
    ] {
        let refused = get(&forged).await;
        assert_eq!(
            (refused.status, refused.header("x-ms-error-code")),
            (403, "AuthenticationFailed"),
            "{forged}"
        );
        assert!(refused.text().starts_with("<?xml"), "{}", refused.text());
    }
    emulator.advance(Duration::from_secs(599));
    assert_eq!(get(&url).await.status, 200);
    emulator.advance(Duration::from_secs(2));
    let expired = get(&url).await;
    assert_eq!(
        (expired.status, expired.header("x-ms-error-code")),
        (403, "AuthenticationFailed")
    );
    assert!(expired.text().contains("expired"), "{}", expired.text());
    // A new one is to be had.
    assert_eq!(get(&reading(&emulator, &id).await).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn blob_is_made_of_blocks_and_goes_on_where_it_stopped() {
    let emulator = Emulator::new();
    let uri = content_uri(&ask(&emulator, "c", &["m"]).await, "m");
    let put = async |query: &str, body: &[u8]| {
        store(&emulator, Method::Put, &format!("{uri}&{query}"), &[], body).await
    };
    let lists = async |kind: &str| {
        let url = format!("{uri}&comp=blocklist&blocklisttype={kind}");
        store(&emulator, Method::Get, &url, &[], b"").await
    };
    assert_eq!(lists("all").await.status, 404);
    for (id, body) in [("AAAA", "one "), ("AAAB", "two "), ("AAAC", "never")] {
        assert_eq!(
            put(&format!("comp=block&blockid={id}"), body.as_bytes())
                .await
                .status,
            201
        );
    }
    // The one with the same id counts.
    put("comp=block&blockid=AAAB", b"TWO ").await;
    let waiting = lists("all").await;
    assert_eq!(waiting.status, 200);
    assert!(
        waiting.text().contains(
            "<CommittedBlocks></CommittedBlocks><UncommittedBlocks>\
             <Block><Name>AAAA</Name><Size>4</Size></Block>"
        ),
        "{}",
        waiting.text()
    );
    assert_eq!(
        store(&emulator, Method::Get, &uri, &[], b"").await.status,
        404
    );

    let commit = async |list: &str| put("comp=blocklist", list.as_bytes()).await;
    let unknown = commit("<BlockList><Latest>AAAZ</Latest></BlockList>").await;
    assert_eq!(
        (unknown.status, unknown.header("x-ms-error-code")),
        (400, "InvalidBlockList")
    );
    let garbage = commit("<BlockList><Latest>AAAA</Late></BlockList>").await;
    assert_eq!(garbage.header("x-ms-error-code"), "InvalidXmlDocument");
    let done = commit(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<BlockList>\n  <Uncommitted>AAAB</Uncommitted>\
         <Latest>AAAA</Latest>\n</BlockList>",
    )
    .await;
    assert_eq!(done.status, 201, "{}", done.text());
    assert_eq!(emulator.artifact("LocalUpload/c/m").unwrap(), b"TWO one ");
    let url = "aml://artifact/LocalUpload/c/m";
    assert_eq!(emulator.artifact(url).unwrap(), b"TWO one ");
    let list = lists("all").await.text();
    assert!(
        list.contains("<UncommittedBlocks></UncommittedBlocks>"),
        "{list}"
    );
    assert!(
        !lists("uncommitted")
            .await
            .text()
            .contains("CommittedBlocks><Block>")
    );

    // What is committed can be used again, what was thrown away cannot.
    assert_eq!(put("comp=block&blockid=AAAD", b"three").await.status, 201);
    let more = "<BlockList><Committed>AAAB</Committed><Latest>AAAD</Latest></BlockList>";
    assert_eq!(commit(more).await.status, 201);
    assert_eq!(emulator.artifact("LocalUpload/c/m").unwrap(), b"TWO three");
    assert_eq!(
        commit("<BlockList><Latest>AAAC</Latest></BlockList>")
            .await
            .status,
        400
    );
    // Of two blocks with one id the staged one is the latest.
    put("comp=block&blockid=AAAD", b"3").await;
    assert_eq!(commit(more).await.status, 201);
    assert_eq!(emulator.artifact("LocalUpload/c/m").unwrap(), b"TWO 3");
    let condition = &[("if-none-match", "*")];
    let url = format!("{uri}&comp=blocklist");
    let kept = store(&emulator, Method::Put, &url, condition, more.as_bytes()).await;
    assert_eq!(
        (kept.status, kept.header("x-ms-error-code")),
        (409, "BlobAlreadyExists")
    );

    for (query, body, code) in [
        (
            "comp=block&blockid=AAAAAAAA",
            &b"x"[..],
            "InvalidBlobOrBlock",
        ),
        ("comp=block&blockid=%21", b"x", "InvalidQueryParameterValue"),
        ("comp=block", b"x", "InvalidQueryParameterValue"),
        ("comp=block&blockid=AAAE", b"", "InvalidHeaderValue"),
    ] {
        let refused = put(query, body).await;
        assert_eq!(
            (refused.status, refused.header("x-ms-error-code")),
            (400, code),
            "{query}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn blob_store_refuses_unknown_requests() {
    let emulator = Emulator::new();
    let uri = content_uri(&ask(&emulator, "c", &["m"]).await, "m");
    for (method, query, headers) in [
        (Method::Put, "", &[("x-ms-blob-type", "AppendBlob")][..]),
        (Method::Put, "", &[][..]),
        (Method::Put, "&surprise=1", WHOLE),
        (
            Method::Put,
            "",
            &[("x-ms-blob-type", "BlockBlob"), ("x-ms-meta-a", "b")],
        ),
        (
            Method::Put,
            "",
            &[
                ("x-ms-blob-type", "BlockBlob"),
                ("x-ms-content-crc64", "AAAAAAAAAAA="),
            ],
        ),
        (
            Method::Put,
            "",
            &[("x-ms-blob-type", "BlockBlob"), ("if-none-match", "\"1\"")],
        ),
        (
            Method::Get,
            "",
            &[("if-modified-since", "Sat, 1 Jan 2028 00:00:00 GMT")],
        ),
        (Method::Get, "&snapshot=1", &[]),
    ] {
        let refused = store(&emulator, method, &format!("{uri}{query}"), headers, b"x").await;
        assert_eq!(
            (refused.status, refused.header("x-ms-error-code")),
            (400, "UnsupportedByEmulator"),
            "{query} {headers:?}"
        );
    }
    for (method, query) in [(Method::Delete, ""), (Method::Put, "&comp=metadata")] {
        let refused = store(&emulator, method, &format!("{uri}{query}"), &[], b"").await;
        assert_eq!(refused.status, 405);
    }
    let torn = &[
        ("x-ms-blob-type", "BlockBlob"),
        ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
    ];
    let refused = store(&emulator, Method::Put, &uri, torn, b"x").await;
    assert_eq!(
        (refused.status, refused.header("x-ms-error-code")),
        (400, "Md5Mismatch")
    );
    let empty = store(&emulator, Method::Put, &uri, torn, b"").await;
    assert_eq!(empty.status, 201, "{}", empty.text());
    let url = reading(&emulator, "LocalUpload/c/m").await;
    let head = store(&emulator, Method::Head, &url, &[], b"").await;
    assert_eq!(head.header("content-md5"), "1B2M2Y8AsgTpgAmY7PhCfg==");
    assert_eq!(head.header("content-length"), "0");
}

#[tokio::test(start_paused = true)]
async fn blob_may_be_larger_than_other_bodies_and_the_journal_has_its_length_only() {
    let emulator = Emulator::new();
    let uri = content_uri(&ask(&emulator, "c", &["m"]).await, "m");
    let large = vec![7; 5 * 1024 * 1024];
    assert_eq!(
        store(&emulator, Method::Put, &uri, WHOLE, &large)
            .await
            .status,
        201
    );
    let url = artifacts(&emulator, "batch/metadata/LocalUpload/c");
    let refused = store(&emulator, Method::Post, &url, &[], &large).await;
    assert_eq!(refused.status, 413);

    let mut request = Request::new(Url::parse(&uri).unwrap(), Method::Put);
    request.set_body(vec![0; 100 * 1024 * 1024 + 1]);
    let refused = emulator
        .http_client()
        .execute_request(&request)
        .await
        .unwrap();
    assert_eq!(u16::from(refused.status()), 413);

    let journal = emulator.journal();
    let put = journal.last().unwrap();
    assert_eq!((put.method.as_str(), put.status), ("PUT", Some(201)));
    assert_eq!(put.body, json!({ "bytes": large.len() }));
    let query = put.query.as_deref().unwrap();
    assert!(
        query.ends_with("&sig=REDACTED") && query.contains("sp=rw"),
        "{query}"
    );
    let secret = uri.split("sig=").nth(1).unwrap();
    assert!(!format!("{journal:?}").contains(secret));

    let kept = content_uri(&ask(&emulator, "c", &["blocks"]).await, "blocks");
    let list = "<BlockList><Latest>AAAA</Latest></BlockList>";
    store(
        &emulator,
        Method::Put,
        &format!("{kept}&comp=block&blockid=AAAA"),
        &[],
        b"secret",
    )
    .await;
    store(
        &emulator,
        Method::Put,
        &format!("{kept}&comp=blocklist"),
        &[],
        list.as_bytes(),
    )
    .await;
    let bodies: Vec<Value> = emulator.journal().into_iter().map(|e| e.body).collect();
    assert!(bodies.contains(&json!(list)) && bodies.contains(&json!({ "bytes": 6 })));
}

#[tokio::test(start_paused = true)]
async fn batch_says_for_each_path_what_became_of_it() {
    let emulator = Emulator::new();
    upload(&emulator, "c", "there", b"x").await;
    let reply = ask(&emulator, "c", &["there", "new", "../up", "/root", "a//b"]).await;
    assert_eq!(reply.status, 200);
    let names = |key: &str| -> Vec<String> {
        reply.body[key]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(names("artifacts"), ["new"]);
    assert_eq!(names("artifactContentInformation"), ["new"]);
    assert_eq!(names("errors"), ["../up", "/root", "a//b", "there"]);
    let error = &reply.body["errors"]["there"]["error"];
    assert_eq!(
        error["message"],
        "Resource Conflict: ArtifactId LocalUpload/c/there already exists."
    );
    assert_eq!(error["code"], "UserError");
    // An interrupted upload goes on with a URL to write to.
    let url = artifacts(&emulator, "write/LocalUpload/c/new");
    let uri = read(&emulator, &url).await.body["contentUri"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        store(&emulator, Method::Put, &uri, WHOLE, b"x")
            .await
            .status,
        201
    );

    let many: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(ask(&emulator, "d", &many).await.status, 400);
    assert_eq!(ask(&emulator, "d", &many[1..]).await.status, 200);
    let url = artifacts(&emulator, "batch/metadata/LocalUpload/c");
    for bad in [
        json!({}),
        json!({ "paths": [] }),
        json!({ "paths": [{ "name": "x" }] }),
        json!({ "paths": [{}] }),
        json!({ "paths": ["x"] }),
        json!({ "paths": [{ "path": "x" }], "more": 1 }),
    ] {
        let reply = send(&emulator, Method::Post, &url, Some(&bad)).await;
        assert_eq!(reply.status, 400, "{bad}");
    }
}

#[tokio::test(start_paused = true)]
async fn outputs_of_a_run_are_listed_page_by_page() {
    let emulator = Emulator::builder()
        .page_size(2)
        .run_output("exp", "run-1", "outputs/model.pkl", "one")
        .run_output("exp", "run-1", "outputs/model/a", "two")
        .run_output("exp", "run-1", "outputs/model/b", "three")
        .run_output("exp", "run-2", "outputs/other", "four")
        .build();
    emulator.add_run_output("exp", "run-1", "logs/log.txt", *b"five");
    let all = async |first: String| {
        let (mut url, mut paths, mut pages) = (first, Vec::new(), 0);
        loop {
            let reply = read(&emulator, &url).await;
            assert_eq!(reply.status, 200, "{:?}", reply.body);
            pages += 1;
            for item in reply.body["value"].as_array().unwrap() {
                paths.push(item["path"].as_str().unwrap().to_owned());
            }
            match reply.body["nextLink"].as_str() {
                Some(next) => url = next.to_owned(),
                None => return (paths, pages),
            }
        }
    };
    let outputs = ["outputs/model.pkl", "outputs/model/a", "outputs/model/b"];
    let whole = ["logs/log.txt", outputs[0], outputs[1], outputs[2]];
    // Microsoft's client and the published description spell the paths differently.
    for (url, expected, pages) in [
        ("prefix/contentinfo/ExperimentRun/dcid.run-1", &whole[..], 2),
        (
            "prefix/contentinfo/ExperimentRun/dcid.run-1/outputs/model",
            &outputs,
            2,
        ),
        (
            "prefix/contentinfo/ExperimentRun/dcid.run-1/outputs/model//",
            &outputs[1..],
            1,
        ),
        (
            "ExperimentRun/dcid.run-1/prefix/contentinfo?path=outputs%2Fmodel",
            &outputs,
            2,
        ),
        ("ExperimentRun/dcid.run-1", &whole, 2),
        ("ExperimentRun/dcid.run-1?path=logs", &whole[..1], 1),
        ("ExperimentRun/dcid.run-1/logs", &whole[..1], 1),
        ("ExperimentRun/dcid.absent", &[], 1),
    ] {
        assert_eq!(
            all(artifacts(&emulator, url)).await,
            (
                expected.iter().map(|&path| path.to_owned()).collect(),
                pages
            ),
            "{url}"
        );
    }
    for url in [
        "contentinfo/ExperimentRun/dcid.run-1/outputs/model.pkl",
        "ExperimentRun/dcid.run-1/contentinfo?path=outputs/model.pkl",
    ] {
        let uri = read(&emulator, &artifacts(&emulator, url)).await.body["contentUri"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            store(&emulator, Method::Get, &uri, &[], b"").await.body,
            b"one"
        );
    }
    let url = artifacts(
        &emulator,
        "metadata/ExperimentRun/dcid.run-1/outputs/model.pkl",
    );
    let metadata = read(&emulator, &url).await.body;
    assert_eq!(
        metadata["artifactId"],
        "ExperimentRun/dcid.run-1/outputs/model.pkl"
    );
    let absent = artifacts(&emulator, "contentinfo/ExperimentRun/dcid.run-1/absent");
    let absent = read(&emulator, &absent).await;
    assert_eq!((absent.status, absent.code()), (404, "UserError"));
}

#[tokio::test(start_paused = true)]
async fn artifacts_need_a_token_a_known_route_and_known_parameters() {
    let emulator = Emulator::new();
    let url = artifacts(&emulator, "ExperimentRun/dcid.r");
    let bare = try_send(&emulator, Method::Get, &url, None, None)
        .await
        .unwrap();
    assert_eq!(bare.status, 401);
    for (method, rest, status) in [
        (Method::Get, "ExperimentRun/dcid.r?surprise=1", 400),
        (Method::Get, "batch/metadata/LocalUpload/c", 405),
        (Method::Post, "contentinfo/LocalUpload/c/m", 405),
        (Method::Get, "Nowhere/c", 404),
        (Method::Post, "content/LocalUpload/c/m", 404),
        (Method::Post, "register", 404),
    ] {
        let reply = send(&emulator, method, &artifacts(&emulator, rest), None).await;
        assert_eq!(reply.status, status, "{rest}: {:?}", reply.body);
        assert_eq!(reply.code(), "UnsupportedByEmulator", "{rest}");
    }
    let elsewhere = url.replace(emulator.workspace(), "elsewhere");
    assert_eq!(read(&emulator, &elsewhere).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn faults_reach_blobs_and_artifacts() {
    let emulator = Emulator::new();
    let uri = content_uri(&ask(&emulator, "c", &["m"]).await, "m");
    emulator.inject(
        Fault::server_error(503)
            .on(Method::Put, "/azureml/LocalUpload/")
            .times(1),
    );
    assert_eq!(
        store(&emulator, Method::Put, &uri, WHOLE, b"x")
            .await
            .status,
        503
    );
    assert_eq!(emulator.artifact("LocalUpload/c/m"), None);
    emulator.inject(Fault::response_lost().on(Method::Put, "/azureml/").times(1));
    let mut request = Request::new(Url::parse(&uri).unwrap(), Method::Put);
    request.insert_header("x-ms-blob-type", "BlockBlob");
    request.set_body(b"x".to_vec());
    assert!(
        emulator
            .http_client()
            .execute_request(&request)
            .await
            .is_err()
    );
    // It was done: a client that tries again with a condition is told so.
    assert_eq!(
        store(&emulator, Method::Put, &uri, WHOLE, b"x")
            .await
            .status,
        409
    );
    emulator.inject(
        Fault::throttled(Duration::from_secs(3))
            .on_path("/batch/metadata/")
            .times(1),
    );
    let throttled = ask(&emulator, "c", &["n"]).await;
    assert_eq!(
        (throttled.status, throttled.header("retry-after")),
        (429, Some("3"))
    );
}

#[tokio::test(start_paused = true)]
async fn blobs_and_blocks_have_a_capacity_that_is_given_back() {
    // Each block counts 256 bytes more.
    let emulator = Emulator::builder().blob_capacity(3 * 1256).build();
    let reply = ask(&emulator, "c", &["a", "b"]).await;
    let (one, other) = (content_uri(&reply, "a"), content_uri(&reply, "b"));
    let body = vec![7; 1000];
    let stage = async |uri: &str, id: &str| {
        let url = format!("{uri}&comp=block&blockid={id}");
        store(&emulator, Method::Put, &url, &[], &body).await
    };
    let commit = async |ids: &[&str]| {
        let ids: String = ids
            .iter()
            .map(|id| format!("<Latest>{id}</Latest>"))
            .collect();
        let list = format!("<BlockList>{ids}</BlockList>");
        let url = format!("{one}&comp=blocklist");
        store(&emulator, Method::Put, &url, &[], list.as_bytes()).await
    };
    let put = async || {
        let kind = &[("x-ms-blob-type", "BlockBlob")];
        store(&emulator, Method::Put, &other, kind, &body).await
    };
    for id in ["AAAA", "BBBB", "CCCC", "AAAA"] {
        assert_eq!(stage(&one, id).await.status, 201);
    }
    for refused in [
        stage(&one, "DDDD").await,
        stage(&other, "AAAA").await,
        put().await,
    ] {
        assert_eq!(refused.status, 413, "{}", refused.text());
        assert!(
            refused.text().contains("blob_capacity"),
            "{}",
            refused.text()
        );
    }
    // A block that is named twice counts twice; one that is not named is dropped.
    assert_eq!(commit(&["AAAA", "AAAA", "BBBB", "CCCC"]).await.status, 413);
    assert_eq!(commit(&["AAAA", "BBBB"]).await.status, 201);
    assert_eq!(put().await.status, 201);
    assert_eq!(put().await.status, 201, "in place of what is there");
    assert_eq!(stage(&one, "DDDD").await.status, 413);
    assert_eq!(commit(&["AAAA"]).await.status, 201);
    assert_eq!(stage(&one, "DDDD").await.status, 201);

    let long = "<Latest>AAAA</Latest>".repeat(50_001);
    let list = format!("<BlockList>{long}</BlockList>");
    let url = format!("{one}&comp=blocklist");
    let refused = store(&emulator, Method::Put, &url, &[], list.as_bytes()).await;
    assert_eq!(refused.header("x-ms-error-code"), "BlockListTooLong");
}

#[tokio::test(start_paused = true)]
async fn large_body_is_taken_only_with_a_signature_that_allows_to_write() {
    let emulator = Emulator::new();
    let uri = content_uri(&ask(&emulator, "c", &["a"]).await, "a");
    let body = vec![7; (4 << 20) + 1];
    let read_only = {
        let kept = store(&emulator, Method::Put, &uri, WHOLE, b"x").await;
        assert_eq!(kept.status, 201);
        reading(&emulator, "LocalUpload/c/a").await
    };
    let unsigned = uri.split('?').next().unwrap();
    for (url, code) in [
        (unsigned, "AuthenticationFailed"),
        (&read_only, "AuthorizationPermissionMismatch"),
    ] {
        let refused = store(&emulator, Method::Put, url, WHOLE, &body).await;
        assert_eq!(
            (refused.status, refused.header("x-ms-error-code")),
            (403, code)
        );
    }
    let kind = &[("x-ms-blob-type", "BlockBlob")];
    assert_eq!(
        store(&emulator, Method::Put, &uri, kind, &body)
            .await
            .status,
        201
    );
    assert_eq!(
        emulator.artifact("LocalUpload/c/a").unwrap().len(),
        body.len()
    );
    let largest = vec![7; (100 << 20) + 1];
    let refused = store(&emulator, Method::Put, &uri, kind, &largest).await;
    assert_eq!(refused.header("x-ms-error-code"), "RequestBodyTooLarge");
}

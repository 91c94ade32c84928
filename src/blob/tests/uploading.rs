use super::store::{Asks, Fault, Reports, SIGNATURE, Store, content, sas};
use crate::blob::Source;
use crate::blob::plan::{BLOCK, MEMORY};
use crate::blob::upload::Uploaded;
use crate::error::{Error, ErrorKind};
use crate::files::Stamp;
use bytes::Bytes;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

const LARGE: usize = 3 * BLOCK as usize + 5;

/// A file of so many bytes, and what is in it.
fn file(length: usize) -> (TempDir, PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pkl");
    let bytes = content(length);
    std::fs::write(&path, &bytes).unwrap();
    (folder, path, bytes)
}

/// An open file with this size as its declared size.
fn of_file(path: &Path, size: u64) -> Source {
    let file = File::open(path).unwrap();
    let mut stamp = Stamp::of(&file.metadata().unwrap());
    stamp.size = size;
    Source::of_file(file, stamp)
}

fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(bytes).unwrap();
}

async fn upload(store: &Arc<Store>, path: &Path) -> Result<Uploaded, Error> {
    let source = Source::Path(path.to_owned(), None);
    store.client(8).upload(&sas(), source, &|_| {}).await
}

fn hides(error: &Error) {
    let text = format!("{error} {error:?}");
    for secret in [SIGNATURE, "s3cr3t", "sig=s"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn content_of_one_block_is_sent_as_one_and_unconditionally() {
    for length in [0, 1, BLOCK as usize] {
        let store = Arc::new(Store::default());
        let (_folder, path, bytes) = file(length);
        let reports = Reports::default();
        let source = Source::Path(path, None);
        let uploaded = store
            .client(8)
            .upload(&sas(), source, &reports.receiver())
            .await;
        let size = length as u64;
        assert_eq!(uploaded.unwrap(), Uploaded { size, sent: size });
        assert_eq!(store.content().unwrap(), bytes);
        reports.check(size);
        let state = store.state();
        assert_eq!(state.requests, [Asks::Whole]);
        let header = |name: &'static str| {
            let name = azure_core::http::headers::HeaderName::from_static(name);
            state.headers[0].get_optional_string(&name)
        };
        assert_eq!(header("x-ms-blob-type").as_deref(), Some("BlockBlob"));
        assert_eq!(header("if-none-match"), None);
        assert_eq!(header("authorization"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn content_larger_than_a_block_is_sent_in_blocks() {
    let (_folder, path, bytes) = file(LARGE);
    let sources = [
        Source::Path(path.clone(), None),
        of_file(&path, LARGE as u64),
        Source::Bytes(Bytes::from(bytes.clone())),
    ];
    for source in sources {
        let store = Arc::new(Store::default());
        let reports = Reports::default();
        let uploaded = store
            .client(8)
            .upload(&sas(), source, &reports.receiver())
            .await;
        let size = LARGE as u64;
        assert_eq!(uploaded.unwrap(), Uploaded { size, sent: size });
        assert_eq!(store.content().unwrap(), bytes);
        reports.check(size);
        let requests = store.state().requests.clone();
        assert_eq!(requests[0], Asks::List);
        assert_eq!(requests[1..5], [Asks::Stage; 4]);
        assert_eq!(requests[5..], [Asks::Commit]);
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_32_mib_are_under_way() {
    let (_folder, path, bytes) = file(11 * BLOCK as usize);
    for (wish, at_once) in [(1, BLOCK), (3, 3 * BLOCK), (100, MEMORY)] {
        let store = Arc::new(Store::default());
        let source = Source::Path(path.clone(), None);
        let client = store.client(wish);
        client.upload(&sas(), source, &|_| {}).await.unwrap();
        assert_eq!(store.content().unwrap(), bytes);
        assert_eq!(store.state().most_in_flight as u64, at_once);
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_32_mib_are_under_way_in_many_uploads_at_once() {
    let (_folder, path, _) = file(11 * BLOCK as usize);
    let store = Arc::new(Store::default());
    let client = store.client(8);
    let uploads = (0..4).map(|_| {
        let (client, path) = (client.clone(), path.clone());
        async move {
            client
                .upload(&sas(), Source::Path(path, None), &|_| {})
                .await
        }
    });
    // Into one blob, of which each takes the others' blocks away: what becomes of it is another matter.
    futures::future::join_all(uploads).await;
    assert!(store.count(Asks::Stage) >= 44);
    assert_eq!(store.state().most_in_flight as u64, MEMORY);
}

#[tokio::test(start_paused = true)]
async fn dropped_upload_goes_on_where_it_stopped() {
    let store = Arc::new(Store::default());
    let (_folder, path, bytes) = file(LARGE);
    store.fault(Asks::Stage, 3, Fault::Silence);
    let source = Source::Path(path.clone(), None);
    let client = store.client(1);
    let sas_url = sas();
    let first = client.upload(&sas_url, source, &|_| {});
    let dropped = tokio::time::timeout(Duration::from_secs(2), first).await;
    assert!(dropped.is_err());
    assert_eq!(store.count(Asks::Stage), 3);
    assert_eq!(store.content(), None);

    let reports = Reports::default();
    let source = Source::Path(path, None);
    let uploaded = store
        .client(8)
        .upload(&sas(), source, &reports.receiver())
        .await;
    assert_eq!(uploaded.unwrap().sent, BLOCK + 5);
    assert_eq!(store.count(Asks::Stage), 3 + 2);
    assert_eq!(store.content().unwrap(), bytes);
    reports.check(LARGE as u64);
}

#[tokio::test(start_paused = true)]
async fn lost_requests_and_lost_answers_are_retried() {
    for asks in [Asks::List, Asks::Stage, Asks::Commit, Asks::Whole] {
        for fault in [Fault::Lost, Fault::Unanswered, Fault::Silence] {
            let store = Arc::new(Store::default());
            let (_folder, path, bytes) = file(match asks {
                Asks::Whole => 7,
                _ => LARGE,
            });
            store.fault(asks, 1, fault);
            upload(&store, &path).await.unwrap();
            assert_eq!(store.content().unwrap(), bytes, "{asks:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn list_that_breaks_off_is_read_again() {
    let store = Arc::new(Store::default());
    let (_folder, path, _) = file(LARGE);
    upload(&store, &path).await.unwrap();
    store.fault(Asks::List, 1, Fault::Broken(30));
    assert_eq!(upload(&store, &path).await.unwrap().sent, 0);
}

#[tokio::test(start_paused = true)]
async fn same_upload_run_again_sends_no_block_and_ends_well() {
    let store = Arc::new(Store::default());
    let (_folder, path, bytes) = file(LARGE);
    upload(&store, &path).await.unwrap();
    let size = LARGE as u64;
    let again = upload(&store, &path).await.unwrap();
    assert_eq!(again, Uploaded { size, sent: 0 });
    assert_eq!(store.count(Asks::Stage), 4);
    assert_eq!(store.content().unwrap(), bytes);
}

#[tokio::test(start_paused = true)]
async fn file_that_changed_between_two_tries_is_not_mixed() {
    let store = Arc::new(Store::default());
    let (_folder, path, mut bytes) = file(LARGE);
    store.fault(
        Asks::Commit,
        1,
        Fault::Refused(403, "AuthenticationFailed", "expired"),
    );
    upload(&store, &path).await.unwrap_err();

    // One byte, at the same size and with the same time.
    let modified = path.metadata().unwrap().modified().unwrap();
    let at = BLOCK as usize + 17;
    bytes[at] ^= 1;
    overwrite(&path, at as u64, &bytes[at..=at]);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_modified(modified).unwrap();
    assert_eq!(upload(&store, &path).await.unwrap().sent, BLOCK);
    assert_eq!(store.content().unwrap(), bytes);

    // Another size: nothing that was there is taken.
    bytes.push(7);
    std::fs::write(&path, &bytes).unwrap();
    let sent = upload(&store, &path).await.unwrap().sent;
    assert_eq!(sent, bytes.len() as u64);
    assert_eq!(store.content().unwrap(), bytes);
}

#[tokio::test(start_paused = true)]
async fn file_that_is_only_touched_between_two_tries_goes_on() {
    let store = Arc::new(Store::default());
    let (_folder, path, bytes) = file(LARGE);
    store.fault(
        Asks::Commit,
        1,
        Fault::Refused(403, "AuthenticationFailed", "expired"),
    );
    upload(&store, &path).await.unwrap_err();
    let copy = path.with_extension("copy");
    std::fs::write(&copy, &bytes).unwrap();
    assert_eq!(upload(&store, &copy).await.unwrap().sent, 0);
    assert_eq!(store.content().unwrap(), bytes);
}

#[tokio::test(start_paused = true)]
async fn block_of_another_size_does_not_count() {
    let store = Arc::new(Store::default());
    let (_folder, path, bytes) = file(LARGE);
    store.fault(
        Asks::Commit,
        1,
        Fault::Refused(403, "AuthenticationFailed", "expired"),
    );
    upload(&store, &path).await.unwrap_err();
    {
        let mut state = store.state();
        let first = state.staged.values_mut().next().unwrap();
        *first = first.slice(1..);
    }
    upload(&store, &path).await.unwrap();
    assert_eq!(store.count(Asks::Stage), 4 + 1);
    assert_eq!(store.content().unwrap(), bytes);
}

#[tokio::test(start_paused = true)]
async fn file_that_changes_while_it_is_read_is_not_committed() {
    type Change = fn(&Path);
    let changes: [(Change, &str); 3] = [
        (
            |path| {
                let file = OpenOptions::new().write(true).open(path).unwrap();
                file.set_len(LARGE as u64 - 1).unwrap();
            },
            "shorter",
        ),
        (
            |path| {
                let mut file = OpenOptions::new().append(true).open(path).unwrap();
                file.write_all(b"more").unwrap();
            },
            "has 12582921 bytes instead of 12582917",
        ),
        (
            |path| {
                let file = OpenOptions::new().write(true).open(path).unwrap();
                let then = std::time::SystemTime::now() + Duration::from_secs(9);
                file.set_modified(then).unwrap();
            },
            "was written to",
        ),
    ];
    for (change, text) in changes {
        let store = Arc::new(Store::default());
        let (_folder, path, _) = file(LARGE);
        let own = path.clone();
        store.fault(Asks::Stage, 1, Fault::First(Box::new(move || change(&own))));
        let source = Source::Path(path, None);
        let error = store.client(1).upload(&sas(), source, &|_| {}).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File, "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(error.remedy().is_some());
        assert_eq!(store.count(Asks::Commit), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn unreadable_source_is_refused_before_anything_is_sent() {
    let store = Arc::new(Store::default());
    let (folder, path, _) = file(5);
    let mut sources = vec![
        (Source::Path(folder.path().join("missing"), None), "missing"),
        (
            Source::Path(folder.path().to_owned(), None),
            "it is a folder",
        ),
        (of_file(&path, 6), "5 bytes instead of 6"),
    ];
    if cfg!(unix) {
        let device = Source::Path("/dev/null".into(), None);
        sources.push((device, "not a regular file"));
    }
    for (source, text) in sources {
        let error = store.client(8).upload(&sas(), source, &|_| {}).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File, "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(
            error.to_string().contains("upload \"model.pkl\""),
            "{error}"
        );
    }
    assert_eq!(store.state().requests, []);
}

#[tokio::test(start_paused = true)]
async fn url_that_has_expired_is_reported_at_once_and_not_shown() {
    for (length, asks) in [(7, Asks::Whole), (LARGE, Asks::List), (LARGE, Asks::Stage)] {
        let store = Arc::new(Store::default());
        let (_folder, path, _) = file(length);
        let message = "Server failed to authenticate the request.";
        store.fault(
            asks,
            1,
            Fault::Refused(403, "AuthenticationFailed", message),
        );
        let error = upload(&store, &path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Service);
        assert!(error.is_forbidden());
        assert_eq!(error.code(), Some("AuthenticationFailed"));
        assert_eq!(error.request_id(), Some("r-1"));
        assert!(error.remedy().is_some(), "{error}");
        let text = error.to_string();
        assert!(text.contains(message), "{text}");
        assert!(!text.contains("RequestId"), "{text}");
        hides(&error);
        assert_eq!(store.count(asks), if asks == Asks::Stage { 4 } else { 1 });
    }
}

#[tokio::test(start_paused = true)]
async fn url_without_permission_for_the_block_list_is_accepted() {
    let store = Arc::new(Store::default());
    let (_folder, path, bytes) = file(LARGE);
    let code = "AuthorizationPermissionMismatch";
    store.fault(Asks::List, 1, Fault::Refused(403, code, "no"));
    assert_eq!(upload(&store, &path).await.unwrap().sent, LARGE as u64);
    assert_eq!(store.content().unwrap(), bytes);
}

#[tokio::test(start_paused = true)]
async fn blocks_that_vanish_are_sent_anew() {
    let store = Arc::new(Store::default());
    let (_folder, path, bytes) = file(LARGE);
    store.fault(
        Asks::Commit,
        1,
        Fault::Refused(403, "AuthenticationFailed", "expired"),
    );
    upload(&store, &path).await.unwrap_err();
    let own = store.clone();
    let vanish = move || own.state().staged.clear();
    store.fault(Asks::Commit, 1, Fault::First(Box::new(vanish)));
    let uploaded = upload(&store, &path).await.unwrap();
    assert_eq!(uploaded.sent, LARGE as u64);
    assert_eq!(store.content().unwrap(), bytes);
}

#[tokio::test(start_paused = true)]
async fn busy_store_is_asked_six_times_within_half_a_minute() {
    let store = Arc::new(Store::default());
    let (_folder, path, _) = file(7);
    for nth in 1..=6 {
        let fault = Fault::Refused(503, "ServerBusy", "The server is busy.");
        store.fault(Asks::Whole, nth, fault);
    }
    let start = Instant::now();
    let error = upload(&store, &path).await.unwrap_err();
    assert_eq!(store.count(Asks::Whole), 6);
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(error.http_status(), Some(503));
    assert_eq!(error.code(), Some("ServerBusy"));
    assert!(error.remedy().is_some(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn text_of_a_transport_is_shown_without_the_signature() {
    let store = Arc::new(Store::default());
    let (_folder, path, _) = file(7);
    for nth in 1..=6 {
        store.fault(Asks::Whole, nth, Fault::Lost);
    }
    let error = upload(&store, &path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains("acct.blob"), "{error}");
    assert!(error.remedy().is_some());
    hides(&error);
}

#[tokio::test(start_paused = true)]
async fn store_that_never_answers_is_given_up() {
    let store = Arc::new(Store::default());
    let (_folder, path, _) = file(7);
    for nth in 1..=6 {
        store.fault(Asks::Whole, nth, Fault::Silence);
    }
    let error = upload(&store, &path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
}

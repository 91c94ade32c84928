use super::store::{Asks, Fault, Reports, SIGNATURE, Store, content, sas};
use crate::blob::plan::{BLOCK, MEMORY};
use crate::error::{Error, ErrorKind};
use crate::transport::limits::{blobs::SENDS, reads::BODIES};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const LARGE: usize = 3 * BLOCK as usize + 5;

fn store(length: usize) -> (Arc<Store>, Vec<u8>) {
    let store = Arc::new(Store::default());
    let bytes = content(length);
    store.state().content = Some(bytes.clone().into());
    (store, bytes)
}

async fn download(store: &Arc<Store>, destination: &Path) -> Result<u64, Error> {
    let client = store.client(2);
    client.download(&sas(), destination, true, &|_| {}).await
}

/// The names of the files in the folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn blob_arrives_whole_whatever_its_size() {
    for (length, requests) in [(0, 2), (1, 1), (BLOCK as usize, 1), (LARGE, 4)] {
        let folder = tempfile::tempdir().unwrap();
        let destination = folder.path().join("model.pkl");
        std::fs::write(&destination, "an older one").unwrap();
        let (store, bytes) = store(length);
        let reports = Reports::default();
        let client = store.client(2);
        let size = client
            .download(&sas(), &destination, true, &reports.receiver())
            .await;
        assert_eq!(size.unwrap(), length as u64);
        assert_eq!(std::fs::read(&destination).unwrap(), bytes);
        assert_eq!(names(folder.path()), ["model.pkl"]);
        assert_eq!(store.count(Asks::Range), requests);
        reports.check(length as u64);
    }
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn downloaded_file_has_the_default_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (folder.path().join("ours"), folder.path().join("other"));
    std::fs::write(&other, "").unwrap();
    download(&store(3).0, &ours).await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&other));
}

#[tokio::test(start_paused = true)]
async fn part_that_breaks_off_is_asked_for_again() {
    for nth in [1, 3] {
        for fault in [
            Fault::Broken(1000),
            Fault::Lost,
            Fault::Unanswered,
            Fault::Silence,
        ] {
            let folder = tempfile::tempdir().unwrap();
            let destination = folder.path().join("model.pkl");
            let (store, bytes) = store(LARGE);
            store.fault(Asks::Range, nth, fault);
            download(&store, &destination).await.unwrap();
            assert_eq!(std::fs::read(&destination).unwrap(), bytes);
            assert_eq!(store.count(Asks::Range), 5);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn part_goes_out_no_more_often_than_the_limit_whatever_the_reasons() {
    const ALL: usize = SENDS as usize;
    fn late(nth: usize) -> Fault {
        match nth % ALL {
            // The body breaks off at the last send of each exchange.
            0 => Fault::Broken(3),
            _ => Fault::Refused(503, "ServerBusy", "The server is busy."),
        }
    }
    fn early(nth: usize) -> Fault {
        // The repetition is refused until nothing is left.
        late(if nth == 1 { 0 } else { 1 })
    }
    type Answers = fn(usize) -> Fault;
    let cases: [(_, Answers, u32, _); 4] = [
        (
            "truncated",
            |_| Fault::Broken(3),
            BODIES,
            ErrorKind::Transport,
        ),
        (
            "503, and truncated at last",
            late,
            SENDS,
            ErrorKind::Transport,
        ),
        ("truncated, then 503", early, SENDS, ErrorKind::Service),
        ("lost", |_| Fault::Lost, SENDS, ErrorKind::Transport),
    ];
    for (name, fault, sends, kind) in cases {
        let folder = tempfile::tempdir().unwrap();
        let destination = folder.path().join("model.pkl");
        let (store, _) = store(7);
        for nth in 1..=4 * ALL {
            store.fault(Asks::Range, nth, fault(nth));
        }
        let error = download(&store, &destination).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{name}");
        assert_eq!(store.count(Asks::Range), sends as usize, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn failed_download_leaves_the_older_file_and_nothing_else() {
    let expired = || Fault::Refused(403, "AuthenticationFailed", "expired");
    for (nth, fault, kind, text) in [
        (1, expired(), ErrorKind::Service, "expired"),
        (3, expired(), ErrorKind::Service, "expired"),
        (1, Fault::Wrong(1), ErrorKind::Protocol, "more than"),
        (2, Fault::Wrong(1), ErrorKind::Protocol, "more than"),
        (1, Fault::Wrong(-1), ErrorKind::Protocol, "fewer bytes"),
        (4, Fault::Wrong(-1), ErrorKind::Protocol, "fewer bytes"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let destination = folder.path().join("model.pkl");
        std::fs::write(&destination, "an older one").unwrap();
        let (store, _) = store(LARGE);
        store.fault(Asks::Range, nth, fault);
        let error = download(&store, &destination).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(text), "{shown}");
        assert!(shown.contains("download \"model.pkl\""), "{shown}");
        assert!(!shown.contains(SIGNATURE), "{shown}");
        assert_eq!(std::fs::read(&destination).unwrap(), b"an older one");
        assert_eq!(names(folder.path()), ["model.pkl"]);
    }
}

#[tokio::test(start_paused = true)]
async fn store_that_sends_shorter_ranges_is_read_to_the_end() {
    for at_most in [1, 3 * BLOCK as usize / 4] {
        let folder = tempfile::tempdir().unwrap();
        let destination = folder.path().join("model.pkl");
        let length = if at_most == 1 { 9 } else { LARGE };
        let (store, bytes) = store(length);
        store.state().at_most = Some(at_most);
        let reports = Reports::default();
        let client = store.client(2);
        let size = client
            .download(&sas(), &destination, true, &reports.receiver())
            .await;
        assert_eq!(size.unwrap(), length as u64);
        assert!(std::fs::read(&destination).unwrap() == bytes);
        assert_eq!(store.count(Asks::Range), if at_most == 1 { 9 } else { 7 });
        reports.check(length as u64);
    }
}

#[tokio::test(start_paused = true)]
async fn shorter_range_of_another_version_is_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = store(9);
    store.state().at_most = Some(4);
    let own = store.clone();
    let replace = move || own.state().version += 1;
    store.fault(Asks::Range, 2, Fault::First(Box::new(replace)));
    let error = download(&store, &folder.path().join("x"))
        .await
        .unwrap_err();
    assert_eq!(error.http_status(), Some(412));
}

#[tokio::test(start_paused = true)]
async fn answer_with_a_range_that_cannot_be_meant_is_refused() {
    let last = BLOCK - 1;
    let too_long: &'static str = format!("bytes 0-{BLOCK}/8388608").leak();
    let whole: &'static str = format!("bytes 0-{last}/18446744073709551615").leak();
    for (range, length) in [
        (Some("bytes 0-3/8388608"), 0),
        (Some("bytes 0-3/8388608"), 3),
        (Some("bytes 0-3/8388608"), 5),
        (Some("bytes 5-3/8388608"), 0),
        (Some("bytes 1-4/8388608"), 4),
        (Some("bytes 4194303-0/8388608"), 0),
        (Some(too_long), BLOCK as usize + 1),
        (Some(whole), BLOCK as usize),
        (Some("bytes 0-3/3"), 4),
        (Some("bytes 0-18446744073709551615/4"), 4),
        (Some("bytes */4"), 4),
        (Some("0-3/4"), 4),
        (None, 4),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = store(LARGE);
        store.fault(Asks::Range, 1, Fault::Range(range, length));
        let error = download(&store, &folder.path().join("x"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{range:?}: {error}");
        assert_eq!(store.count(Asks::Range), 1, "{range:?}");
        assert_eq!(names(folder.path()), [""; 0], "{range:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn file_that_appears_meanwhile_is_overwritten_only_with_leave() {
    for overwrite in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let destination = folder.path().join("model.pkl");
        let (store, bytes) = store(7);
        let appears = destination.clone();
        let first = move || std::fs::write(appears, "somebody's").unwrap();
        store.fault(Asks::Range, 1, Fault::First(Box::new(first)));
        let client = store.client(2);
        let done = client
            .download(&sas(), &destination, overwrite, &|_| {})
            .await;
        let content = std::fs::read(&destination).unwrap();
        match overwrite {
            true => assert_eq!((done.unwrap(), content), (7, bytes)),
            false => {
                let error = done.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::File);
                assert_eq!(content, b"somebody's");
            }
        }
        assert_eq!(names(folder.path()), ["model.pkl"]);
    }
}

#[tokio::test(start_paused = true)]
async fn remedy_of_a_failed_download_is_its_own() {
    for fault in [
        || Fault::Refused(403, "AuthenticationFailed", "expired"),
        || Fault::Refused(503, "ServerBusy", "The server is busy."),
        || Fault::Lost,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = store(7);
        for nth in 1..=SENDS as usize {
            store.fault(Asks::Range, nth, fault());
        }
        let error = download(&store, &folder.path().join("x"))
            .await
            .unwrap_err();
        let remedy = error.remedy().unwrap();
        assert!(
            remedy.contains("allow to overwrite") && !remedy.contains("sent"),
            "{remedy}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn code_of_a_refusal_passes_the_redaction() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = store(7);
    store.fault(
        Asks::Range,
        1,
        Fault::Refused(400, "password=s3cr3t-Code1", "Not that way."),
    );
    let error = download(&store, &folder.path().join("x"))
        .await
        .unwrap_err();
    let text = format!("{error} {error:?} {:?}", error.service_error());
    assert!(!text.contains("s3cr3t"), "{text}");
    assert!(text.contains("Not that way."), "{text}");
}

#[tokio::test(start_paused = true)]
async fn blob_that_is_replaced_meanwhile_is_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let destination = folder.path().join("model.pkl");
    let (store, _) = store(LARGE);
    let own = store.clone();
    let replace = move || own.state().version += 1;
    store.fault(Asks::Range, 2, Fault::First(Box::new(replace)));
    let error = download(&store, &destination).await.unwrap_err();
    assert_eq!(error.http_status(), Some(412));
    assert_eq!(names(folder.path()), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn dropped_download_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let destination = folder.path().join("model.pkl");
    let (store, _) = store(LARGE);
    store.fault(Asks::Range, 3, Fault::Silence);
    let dropped = tokio::time::timeout(Duration::from_secs(2), download(&store, &destination));
    assert!(dropped.await.is_err());
    assert_eq!(store.count(Asks::Range), 4);
    assert_eq!(names(folder.path()), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn invalid_destination_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = store(3);
    for (destination, text) in [
        (folder.path().join("missing/model.pkl"), "does not exist"),
        (folder.path().to_owned(), "it is a folder"),
        (folder.path().join(".."), "names no file"),
    ] {
        let error = download(&store, &destination).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    assert_eq!(store.state().requests, []);
}

#[tokio::test(start_paused = true)]
async fn blob_that_is_not_there_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::default());
    let error = download(&store, &folder.path().join("x"))
        .await
        .unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.code(), Some("BlobNotFound"));
}

#[tokio::test(start_paused = true)]
async fn no_more_than_32_mib_are_under_way_in_many_downloads_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (store, bytes) = store(11 * BLOCK as usize);
    let client = store.client(8);
    let downloads = (0..5).map(|number| {
        let client = client.clone();
        let path = folder.path().join(number.to_string());
        async move {
            client.download(&sas(), &path, true, &|_| {}).await.unwrap();
            path
        }
    });
    for path in futures::future::join_all(downloads).await {
        assert!(std::fs::read(path).unwrap() == bytes);
    }
    assert_eq!(store.state().most_in_flight as u64, MEMORY);
}

//! Cases 34 and 35: to whom a credential goes, and with which URL.

use super::support::*;
use azureml_aks::{ErrorKind, WaitOptions};
use futures::StreamExt;

const FOREIGN: [&str; 7] = [
    "https://evil.example/op?sig=s3cr3t",
    "http://management.azure.com/op",
    "https://user:pw@management.azure.com/op",
    "https://management.azure.com@evil.example/op",
    "https://management.azure.com.evil/op",
    "https://management.azure.com:8443/op",
    "//evil.example/op",
];

#[track_caller]
fn assert_refused(run: &Run, lines: &[&str], url: &str) {
    let error = run.error();
    assert_eq!(error.kind(), ErrorKind::UntrustedUrl, "{url}: {error}");
    assert!(!error.to_string().contains("s3cr3t"), "{error}");
    assert_eq!(run.lines(), lines, "{url}");
    assert!(error.resume_token().is_some(), "{url}");
}

#[tokio::test(start_paused = true)]
async fn case_34_foreign_monitor_is_refused_and_nothing_is_sent_there() {
    for url in FOREIGN {
        for header in ["Azure-AsyncOperation", "Operation-Location", "Location"] {
            let run = create(reply(202).header(header, url), []).await;
            assert_refused(&run, &["PUT compute"], url);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn case_34_monitor_that_moves_to_a_foreign_place_is_refused() {
    for url in FOREIGN {
        let moved = status("InProgress").header("Azure-AsyncOperation", url);
        let run = create(created(), [moved]).await;
        assert_refused(&run, &["PUT compute", "GET monitor"], url);

        let start = reply(202).header("Location", LOCATION);
        let run = create(start, [reply(202).header("Location", url)]).await;
        assert_refused(&run, &["PUT compute", "GET location"], url);

        // Where nothing would be read there, there is nothing to refuse.
        let last = status("Succeeded").header("Azure-AsyncOperation", url);
        let run = create(created(), [last, ready()]).await;
        run.result.as_ref().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn case_34_foreign_result_is_refused() {
    for url in FOREIGN {
        let done = json!({ "status": "Succeeded", "resourceLocation": url });
        let run = create(created(), [reply(200).json(&done)]).await;
        assert_refused(&run, &["PUT compute", "GET monitor"], url);
    }
}

#[tokio::test(start_paused = true)]
async fn case_34_redirect_is_never_followed() {
    for url in FOREIGN {
        let run = create(created(), [reply(302).header("Location", url)]).await;
        assert_refused(&run, &["PUT compute", "GET monitor"], url);
    }
    let run = create(created(), [reply(307).header("Location", MONITOR)]).await;
    assert_eq!(run.error().kind(), ErrorKind::OperationStatusLost);
    assert_eq!(run.lines(), ["PUT compute", "GET monitor"]);
    // The operation is over; only its result is out of reach.
    let replies = [
        status("Succeeded"),
        reply(302).header("Location", FOREIGN[0]),
    ];
    let run = create(created(), replies).await;
    assert_eq!(run.error().kind(), ErrorKind::ResultUnavailable);
    assert_eq!(run.token, None);
}

#[tokio::test(start_paused = true)]
async fn case_34_foreign_next_page_is_refused() {
    for url in FOREIGN {
        let stage = Stage::new();
        let page = json!({ "value": [resource("Succeeded")], "nextLink": url });
        stage.script.expect([reply(200).json(&page)]);
        let items: Vec<_> = stage.workspace.computes().collect().await;
        let last = items.last().unwrap().as_ref().unwrap_err();
        assert_eq!(last.kind(), ErrorKind::UntrustedUrl, "{url}");
        assert_eq!(stage.script.sent().len(), 1, "{url}");
    }
}

#[tokio::test(start_paused = true)]
async fn case_34_own_origin_is_trusted_however_it_is_written() {
    for origin in [
        "https://MANAGEMENT.azure.com:443",
        "https://management.azure.com",
    ] {
        let url = format!("{origin}/op?api-version=1");
        let replies = [status("Succeeded"), ready()];
        let run = create(created().header("Azure-AsyncOperation", &url), replies).await;
        run.result.as_ref().unwrap();
        assert_eq!(
            run.sent[1].url,
            "https://management.azure.com/op?api-version=1"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn case_35_url_of_the_monitor_is_sent_as_it_came() {
    const HOST: &str = "https://management.azure.com";
    let long = format!("/op?api-version=1&t={}", "x".repeat(4096));
    let verbatim = [
        "/subscriptions/s/locations/East%20US%202/op?api-version=2016-03-30",
        "/op?service=new&api-version=2018-11-19&c=MIIB%2Bx%3D&h=a-b_c&s=%7E",
        "/op?API-Version=2018-11-19&z=1&a=2",
        long.as_str(),
    ];
    let completed = [
        ("/op", "/op?api-version=2026-05-01"),
        ("/op?", "/op?api-version=2026-05-01"),
        ("/op?c=a%20b&h=1", "/op?c=a%20b&h=1&api-version=2026-05-01"),
        (
            "/api-version=1/op?x=api-version=2",
            "/api-version=1/op?x=api-version=2&api-version=2026-05-01",
        ),
    ];
    let cases = verbatim
        .into_iter()
        .map(|path| (path, path))
        .chain(completed);
    for (path, expected) in cases {
        // Also where the service leaves out its own host.
        for url in [format!("{HOST}{path}"), path.to_owned()] {
            let first = created().header("Azure-AsyncOperation", &url);
            let run = create(first, [status("InProgress"), status("Succeeded"), ready()]).await;
            run.result.as_ref().unwrap();
            assert_eq!(run.sent[1].url, format!("{HOST}{expected}"));
            assert_eq!(run.sent[2].url, run.sent[1].url);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn first_header_that_is_a_url_decides() {
    let start = |first: &str, second: &str| {
        reply(202)
            .header("Azure-AsyncOperation", first)
            .header("Operation-Location", second)
            .header("Location", LOCATION)
    };
    let run = create(start("nonsense", MONITOR), [status("Succeeded"), ready()]).await;
    assert_eq!(run.lines(), ["PUT compute", "GET monitor", "GET compute"]);
    let run = create(start("", "mailto:a@b"), [ready()]).await;
    assert_eq!(run.lines(), ["PUT compute", "GET location"]);
    let run = create(start(MONITOR, LOCATION), [status("Succeeded"), ready()]).await;
    assert_eq!(run.lines(), ["PUT compute", "GET monitor", "GET compute"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_refused_monitor_the_compute_itself_may_be_followed() {
    let stage = Stage::new();
    let first = reply(202).header("Azure-AsyncOperation", FOREIGN[0]);
    let mut compute = stage.create(first).await.unwrap();
    let error = compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UntrustedUrl);
    stage.script.expect([ready()]);
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(stage.lines(), ["PUT compute", "GET compute"]);
}

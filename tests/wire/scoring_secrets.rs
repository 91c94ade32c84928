//! Keys and tokens stay secret: in everything of the scoring client that can be formatted, and in
//! everything that is logged.

use crate::support::alone::is_alone;
use crate::support::log::Log;
use crate::support::redirect::{Reply, Service};
use azureml_aks::{ErrorKind, ScoringClient, ScoringRetry};
use serde_json::json;
use std::fmt::{Debug, Write};
use std::time::Duration;

/// Secrets that must not stand in any text that comes out of the library.
const CANARY: &str = "CANARY";
const KEY: &str = "CANARY-primary-key";
const SCORE: &str = "/score?code=CANARY";

#[tokio::test]
async fn no_secret_stands_in_any_text_that_leaves_the_client() {
    if !is_alone(
        module_path!(),
        "no_secret_stands_in_any_text_that_leaves_the_client",
    ) {
        return;
    }
    // Those of the HTTP stack are not ours; that it hides the header is checked by its `Debug`.
    let log = Log::of_the_process(|target| target.starts_with("azureml_aks"));
    let mut out = String::new();
    let mut show = |what: &dyn Debug| writeln!(out, "{what:?}\n{what:#?}").unwrap();

    let mut service = Service::start().await;
    let uri = format!("{}{SCORE}", service.url());
    let builder = || {
        ScoringClient::builder(&uri)
            .key(KEY)
            .retry(ScoringRetry::new().max_pause(Duration::from_millis(1)))
    };
    show(&builder());
    show(&builder().proxy("http://user:CANARY@127.0.0.1:9"));
    let client = builder().build().unwrap();
    show(&client);
    show(&client.request().header("x-own", CANARY));

    let good = json!({"echo": CANARY});
    service
        .on("POST", SCORE, Reply::empty(503))
        .await
        .on("POST", SCORE, Reply::json(200, &good))
        .await;
    show(&client.run_bytes(KEY, "text/plain").await.unwrap());
    assert_eq!(service.seen().len(), 2, "tried again");
    let redirect = Reply::empty(302).header("location", "https://CANARY@evil.example/CANARY");
    for reply in [
        Reply::json(200, &good),
        Reply::new(401, format!("not {KEY}")),
        Reply::new(502, format!("called with {KEY}")),
        Reply::new(500, format!("Authorization: Bearer {KEY}")),
        redirect,
        Reply::new(200, "[").breaks_off(),
    ] {
        service.on("POST", SCORE, reply).await;
        let error = client.run::<_, u8>(&json!([CANARY])).await.unwrap_err();
        show(&error);
        show(&error.to_string());
        show(&error.service_error());
    }

    // What the HTTP stack says of a connection that fails.
    let dead = ScoringClient::builder("http://127.0.0.1:9/score?code=CANARY").key(KEY);
    let error = dead.build().unwrap().run::<_, u8>(&()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    show(&error);
    show(&azure_core::Error::from(error));

    let logged = log.text();
    assert!(
        logged.contains("sent in plain text"),
        "the check listens: {logged}"
    );
    assert!(
        logged.contains("tried again"),
        "the check listens: {logged}"
    );
    for text in [&out, &logged] {
        let line = text.lines().find(|line| line.contains(CANARY));
        assert_eq!(line, None);
    }
}

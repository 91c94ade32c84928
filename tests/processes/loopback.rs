use std::net::SocketAddr;
use std::time::Duration;

use azureml_aks::emulator::{Clock, Emulator, Fault, ServeOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::raw::{TODAY, compute_url, create_body, workspace_url};
use crate::support::raw_services::{deploy, manual, no_code, url, with_compute};

const ANY: &str = "127.0.0.1:0";

fn any() -> SocketAddr {
    ANY.parse().unwrap()
}

fn here(url: &str, base: &url::Url) -> String {
    url.replace("https://management.azure.com/", base.as_str())
}

#[tokio::test]
async fn both_listeners_serve_one_state_and_hand_out_their_own_urls() {
    let emulator = Emulator::builder().clock(Clock::Manual).build();
    let server = emulator
        .serve(ServeOptions::new().http(any()).https(any()))
        .await
        .unwrap();
    let (http, https) = (server.http_url().unwrap(), server.https_url().unwrap());
    assert_ne!(http.port(), Some(0));
    let ca = reqwest::Certificate::from_pem(server.ca_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([ca])
        .build()
        .unwrap();

    for (name, base) in [("one", &http), ("two", &https)] {
        let reply = client
            .put(here(&compute_url(&emulator, name), base))
            .bearer_auth("t")
            .body(create_body(json!({})).to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), 201);
        let polling = reply.headers()["azure-asyncoperation"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(polling.starts_with(base.as_str()), "{polling}");
        let status = client.get(&polling).bearer_auth("t").send().await.unwrap();
        let status: Value = serde_json::from_slice(&status.bytes().await.unwrap()).unwrap();
        assert_eq!(status["status"], "InProgress");
    }
    let list = format!("{}/computes?api-version={TODAY}", workspace_url(&emulator));
    let list = client
        .get(here(&list, &https))
        .bearer_auth("t")
        .send()
        .await
        .unwrap();
    let list: Value = serde_json::from_slice(&list.bytes().await.unwrap()).unwrap();
    assert_eq!(list["value"].as_array().unwrap().len(), 2);

    // A token is required here as well.
    let reply = client
        .get(here(&compute_url(&emulator, "one"), &http))
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 401);
    server.shutdown().await;
    assert!(client.get(http).send().await.is_err());
}

#[tokio::test]
async fn services_are_scored_at_the_address_that_a_read_came_in_by() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    let server = emulator
        .serve(ServeOptions::new().http(any()))
        .await
        .unwrap();
    let base = server.http_url().unwrap();
    let client = reqwest::Client::new();
    let json = async |request: reqwest::RequestBuilder| {
        let reply = request.send().await.unwrap();
        assert_eq!(reply.status(), 200);
        serde_json::from_slice::<Value>(&reply.bytes().await.unwrap()).unwrap()
    };
    let target = here(&url(&emulator, "/services/myservice"), &base);
    let service = json(client.get(&target).bearer_auth("t")).await;
    let uri = service["scoringUri"].as_str().unwrap();
    assert_eq!(uri, format!("{base}api/v1/service/myservice/score"));
    let keys = json(client.post(format!("{target}/listkeys")).bearer_auth("t")).await;
    let key = keys["primaryKey"].as_str().unwrap();
    let scored = json(client.post(uri).bearer_auth(key).body("[1]")).await;
    assert_eq!(scored, json!([1]));
    let refused = client.post(uri).bearer_auth("t").send().await.unwrap();
    assert_eq!(refused.status(), 401);
}

#[tokio::test]
async fn connections_break_as_faults_say() {
    let emulator = Emulator::builder().clock(Clock::Manual).build();
    let server = emulator
        .serve(ServeOptions::new().http(any()).https(any()))
        .await
        .unwrap();
    let ca = reqwest::Certificate::from_pem(server.ca_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([ca])
        .build()
        .unwrap();
    for base in [server.http_url().unwrap(), server.https_url().unwrap()] {
        let url = here(&compute_url(&emulator, "myaks"), &base);
        emulator.inject(Fault::connection_dropped().times(1));
        let error = client.get(&url).bearer_auth("t").send().await.unwrap_err();
        assert!(error.is_request(), "{error:?}");
        emulator.inject(Fault::truncated_body().times(1));
        let reply = client.get(&url).bearer_auth("t").send().await.unwrap();
        assert_eq!(reply.status(), 404);
        assert!(reply.bytes().await.is_err());
        let reply = client.get(&url).bearer_auth("t").send().await.unwrap();
        assert!(reply.bytes().await.is_ok());
    }
}

#[tokio::test]
async fn server_listens_on_loopback_only_by_default() {
    let emulator = Emulator::new();
    let all: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let error = emulator
        .serve(ServeOptions::new().http(all))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(
        emulator.serve(ServeOptions::new()).await.is_err(),
        "nowhere to listen"
    );
    let options = ServeOptions::new().http(all).allow_non_loopback(true);
    assert!(emulator.serve(options).await.is_ok());
}

#[tokio::test]
async fn admin_requests_for_a_foreign_host_are_refused() {
    let emulator = Emulator::new();
    let server = emulator
        .serve(ServeOptions::new().http(any()))
        .await
        .unwrap();
    let client = reqwest::Client::new();
    let ask = async |base: &url::Url, path: &str, host: &str| {
        let request = client.get(base.join(path).unwrap()).header("host", host);
        request.bearer_auth("t").send().await.unwrap().status()
    };
    let base = server.http_url().unwrap();
    for (host, status) in [
        ("127.0.0.1", 200),
        ("127.0.0.1:8099", 200),
        ("localhost", 200),
        ("LOCALHOST:8099", 200),
        ("[::1]:8099", 200),
        ("192.0.2.1", 200),
        ("rebound.evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("evil.localhost", 403),
        ("127.0.0.1@evil.example", 403),
        ("a b", 403),
        ("", 403),
    ] {
        let answered = ask(&base, "_emulator/health", host).await;
        assert_eq!(answered, status, "{host:?}");
    }
    // The other routes need a token, which a page does not have.
    let target = here(&compute_url(&emulator, "myaks"), &base);
    let path = target.strip_prefix(base.as_str()).unwrap();
    assert_eq!(ask(&base, path, "rebound.evil.example").await, 404);

    // Other machines may know this one by any name.
    let options = ServeOptions::new().http("0.0.0.0:0".parse().unwrap());
    let open = emulator
        .serve(options.allow_non_loopback(true))
        .await
        .unwrap();
    let mut base = open.http_url().unwrap();
    base.set_host(Some("127.0.0.1")).unwrap();
    assert_eq!(ask(&base, "_emulator/health", "emulator.test").await, 200);
}

#[tokio::test(start_paused = true)]
async fn connection_without_whole_headers_is_closed() {
    let emulator = Emulator::new();
    let server = emulator
        .serve(ServeOptions::new().http(any()))
        .await
        .unwrap();
    let address = server.http_url().unwrap().socket_addrs(|| None).unwrap()[0];
    for sent in ["", "GET /_emulator/health HTTP/1.1\r\nx-a: b\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let read = timeout(Duration::from_secs(40), read).await;
        assert!(read.is_ok(), "{sent:?} keeps its connection");
    }
}

#[tokio::test]
async fn large_body_of_a_stranger_is_refused_before_it_is_read() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    let server = emulator
        .serve(ServeOptions::new().http(any()))
        .await
        .unwrap();
    let address = server.http_url().unwrap().socket_addrs(|| None).unwrap()[0];
    for (head, status) in [
        ("POST /api/v1/service/absent/score", "404"),
        ("POST /api/v1/service/myservice/score", "401"),
        ("PUT /azureml/LocalUpload/c/a", "403"),
        ("PUT /_emulator/log/a", "413"),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head =
            format!("{head} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 99000000\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // A part of it, after which nothing more comes.
        let _ = stream.write_all(&vec![b'1'; (4 << 20) + 1]).await;
        let mut answer = [0; 12];
        let read = timeout(Duration::from_secs(10), stream.read_exact(&mut answer)).await;
        read.expect("no answer before the whole body").unwrap();
        assert_eq!(&answer[9..], status.as_bytes(), "{head}");
    }
}

#[tokio::test]
async fn dropping_the_server_stops_it() {
    let emulator = Emulator::new();
    let server = emulator
        .serve(ServeOptions::new().http(any()))
        .await
        .unwrap();
    assert!(server.https_url().is_none() && server.ca_pem().is_empty());
    let url = server.http_url().unwrap();
    let health = url.join("_emulator/health").unwrap();
    assert!(reqwest::get(health.clone()).await.is_ok());
    drop(server);
    for _ in 0..100 {
        if reqwest::get(health.clone()).await.is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("still listening");
}

#[tokio::test]
async fn blob_is_at_the_listener_that_was_asked_and_needs_no_token() {
    let emulator = Emulator::builder().clock(Clock::Manual).build();
    emulator.add_run_output("exp", "run-1", "outputs/a b.txt", "0123456789");
    let server = emulator
        .serve(ServeOptions::new().http(any()))
        .await
        .unwrap();
    let base = server.http_url().unwrap();
    let workspace = here(&workspace_url(&emulator), &base);
    let list = format!(
        "{}artifact/v2.0/{}/artifacts/prefix/contentinfo/ExperimentRun/dcid.run-1",
        base,
        workspace.trim_start_matches(base.as_str())
    );
    let client = reqwest::Client::new();
    let list = client.get(list).bearer_auth("t").send().await.unwrap();
    let list: Value = serde_json::from_slice(&list.bytes().await.unwrap()).unwrap();
    let uri = list["value"][0]["contentUri"].as_str().unwrap();
    let blob = format!("{base}azureml/ExperimentRun/dcid.run-1/outputs/a%20b.txt?");
    assert!(uri.starts_with(&blob), "{uri}");

    let head = client.head(uri).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-length"], "10");
    let part = client.get(uri).header("range", "bytes=2-4").send();
    let part = part.await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], "bytes 2-4/10");
    assert_eq!(part.text().await.unwrap(), "234");
    server.shutdown().await;
}

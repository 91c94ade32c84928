//! TLS by the default sender.

use super::support::SCORE;
use azureml_aks::{Error, ErrorKind, ScoringClient};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ProtocolVersion, ServerConfig, version::TLS12};

/// Answers `1` to one request after the other, by TLS 1.2 and no other version. Gives the scoring URI and
/// the certificate.
async fn old_server() -> (String, String) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not trust us hangs up.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let version = stream.get_ref().1.protocol_version();
            assert_eq!(version, Some(ProtocolVersion::TLSv1_2));
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\n1";
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (format!("https://localhost:{port}{SCORE}"), cert.pem())
}

async fn score(client: &ScoringClient) -> Result<u8, Error> {
    client.run(&()).await
}

#[tokio::test]
async fn service_that_speaks_tls_1_2_only_is_called() {
    let (uri, certificate) = old_server().await;
    let builder = || ScoringClient::builder(&uri).key("CANARY");
    let client = builder().extra_ca(certificate).build().unwrap();
    assert_eq!(score(&client).await.unwrap(), 1);

    let stranger = builder().build().unwrap();
    let error = score(&stranger).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Transport,
        "its certificate is nobody's"
    );
}

#[tokio::test]
async fn dead_proxy_is_an_error_and_not_bypassed() {
    let (uri, certificate) = old_server().await;
    let client = ScoringClient::builder(&uri)
        .key("CANARY")
        .extra_ca(certificate)
        .proxy("http://user:CANARY@127.0.0.1:9")
        .build()
        .unwrap();
    let error = score(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(
        !format!("{error} {error:?}").contains("CANARY"),
        "{error:?}"
    );
}

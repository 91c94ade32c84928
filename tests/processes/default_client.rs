//! The default HTTP client, over real sockets and TLS, against the emulator on loopback.

use azureml_aks::emulator::{Clock, Emulator, ServeOptions};
use azureml_aks::{
    AksCompute, Cloud, ComputeTarget, ErrorKind, WaitOptions, Workspace, WorkspaceBuilder,
};

fn builder(emulator: &Emulator, endpoint: &str) -> WorkspaceBuilder {
    Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential())
    .cloud(Cloud::custom(endpoint, "https://management.emulator").unwrap())
}

#[tokio::test]
async fn custom_cloud_with_its_own_authority_is_trusted_only_if_configured() {
    let emulator = Emulator::builder()
        .clock(Clock::Automatic { speed: 10_000.0 })
        .build();
    let any_port = ([127, 0, 0, 1], 0).into();
    let server = emulator
        .serve(ServeOptions::new().https(any_port))
        .await
        .unwrap();
    let endpoint = server.https_url().unwrap();

    let stranger = builder(&emulator, endpoint.as_str()).build().unwrap();
    let error = stranger.location().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(emulator.journal().is_empty(), "no token crossed the wire");

    let workspace = builder(&emulator, endpoint.as_str())
        .extra_ca(server.ca_pem())
        .application_id("myapp")
        .build()
        .unwrap();
    let config = AksCompute::provisioning_configuration().build().unwrap();
    let mut aks = ComputeTarget::create(&workspace, "myaks", config)
        .await
        .unwrap();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_eq!(aks.status(), Some("Succeeded"));
    let agent = &emulator.journal()[0].headers["user-agent"];
    assert!(
        agent.starts_with("myapp ") && agent.contains("azureml-aks"),
        "{agent}"
    );
}

#[tokio::test]
async fn proxy_is_used_and_a_dead_one_is_an_error() {
    let emulator = Emulator::new();
    let any_port = ([127, 0, 0, 1], 0).into();
    let server = emulator
        .serve(ServeOptions::new().https(any_port))
        .await
        .unwrap();
    // Port 9 of loopback: nobody listens there.
    let workspace = builder(&emulator, server.https_url().unwrap().as_str())
        .extra_ca(server.ca_pem())
        .proxy("http://user:s3cr3t@127.0.0.1:9")
        .build()
        .unwrap();
    let error = workspace.location().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(
        !format!("{error} {error:?}").contains("s3cr3t"),
        "{error:?}"
    );
    assert!(emulator.journal().is_empty(), "nothing went past the proxy");
}

#[test]
fn invalid_authority_is_refused() {
    let emulator = Emulator::new();
    let error = builder(&emulator, "https://management.emulator")
        .extra_ca("no certificate")
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

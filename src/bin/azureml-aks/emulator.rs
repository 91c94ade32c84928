//! `emulator`: the Azure side, on this machine.

use crate::connect::Session;
use crate::failure::{Failure, Result};
use crate::output::{self, Shown};
use azureml_aks::emulator::{Clock, ConnectedCluster, Emulator, ExistingCluster, ServeOptions};
use clap::Args;
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const EXAMPLE: &str = "Its workspace is called as -g, -w and --subscription say.\n\nExample:\n  \
    azureml-aks emulator --cluster mygroup/mycluster,version=1.34.3,count=3";

#[derive(Debug, Args)]
pub(crate) struct Emulate {
    /// Address for plain HTTP [default: 127.0.0.1:8099 without --https; port 0 takes a free one].
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Address for HTTPS [default: 127.0.0.1:8443 without --http].
    #[arg(long, value_name = "ADDRESS")]
    https: Option<SocketAddr>,
    /// File for the authority of the certificate [default: one in the folder for temporary files].
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Region of the workspace.
    #[arg(long, short)]
    location: Option<String>,
    /// A cluster that exists: GROUP/NAME[,version=V][,vm_size=S][,count=N][,location=L][,extension=E].
    #[arg(long, value_parser = cluster, value_name = "CLUSTER")]
    cluster: Vec<ExistingCluster>,
    /// A cluster that Azure Arc connects: GROUP/NAME[,count=N][,location=L][,extension=E].
    #[arg(long, value_parser = connected, value_name = "CLUSTER")]
    connected_cluster: Vec<ConnectedCluster>,
    /// How much faster than real time operations run.
    #[arg(long, default_value_t = 60.0, conflicts_with = "manual")]
    speed: f64,
    /// Let the clock stand still but for the route /_emulator/advance.
    #[arg(long)]
    manual: bool,
    /// How long every operation takes, before --speed.
    #[arg(long, value_name = "SECONDS")]
    duration: Option<f64>,
    /// Seconds that clients are told to wait; 0 for none.
    #[arg(long, default_value_t = 1, value_name = "SECONDS")]
    retry_after: u64,
    /// Items of a page.
    #[arg(long, default_value_t = 10)]
    page_size: usize,
    /// Let a policy deny public addresses.
    #[arg(long)]
    deny_public_addresses: bool,
    /// A resource provider that no subscription has registered; repeatable.
    #[arg(long, value_name = "NAMESPACE")]
    unregistered_provider: Vec<String>,
    /// Let the workspace be in v1 legacy mode.
    #[arg(long)]
    v1_legacy_mode: bool,
    /// Allow addresses that other machines can reach. The emulator takes any token.
    #[arg(long)]
    allow_non_loopback: bool,
}

/// `GROUP/NAME[,KEY=VALUE]…`: what `new` makes of group and name, changed by `set` for each key.
fn described<'t, C>(
    text: &'t str,
    new: impl FnOnce(&'t str, &'t str) -> C,
    set: impl Fn(C, &str, &str) -> std::result::Result<C, String>,
) -> std::result::Result<C, String> {
    let mut parts = text.split(',');
    let (group, name) = parts
        .next()
        .and_then(|id| id.split_once('/'))
        .filter(|(group, name)| !group.is_empty() && !name.is_empty())
        .ok_or("it needs GROUP/NAME")?;
    parts.try_fold(new(group, name), |cluster, part| {
        let (key, value) = part
            .split_once('=')
            .ok_or("after the name it takes KEY=VALUE")?;
        set(cluster, key, value)
    })
}

fn cluster(text: &str) -> std::result::Result<ExistingCluster, String> {
    described(text, ExistingCluster::new, |cluster, key, value| {
        Ok(match key {
            "version" => cluster.version(value),
            "vm_size" => cluster.vm_size(value),
            "count" => cluster.node_count(nodes(value)?),
            "location" => cluster.location(value),
            "extension" => cluster.extension(value),
            _ => return Err(format!("a cluster has no {key}")),
        })
    })
}

fn connected(text: &str) -> std::result::Result<ConnectedCluster, String> {
    described(text, ConnectedCluster::new, |cluster, key, value| {
        Ok(match key {
            "count" => cluster.node_count(nodes(value)?),
            "location" => cluster.location(value),
            "extension" => cluster.extension(value),
            _ => return Err(format!("a connected cluster has no {key}")),
        })
    })
}

fn nodes(text: &str) -> std::result::Result<u32, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not a number of nodes"))
}

pub(crate) async fn run(session: &Session, emulate: Emulate) -> Result<Shown> {
    let global = &session.global;
    let clock = if emulate.manual {
        Clock::Manual
    } else {
        Clock::Automatic {
            speed: emulate.speed,
        }
    };
    let retry_after = (emulate.retry_after > 0).then(|| Duration::from_secs(emulate.retry_after));
    let mut builder = Emulator::builder()
        .clock(clock)
        .retry_after(retry_after)
        .page_size(emulate.page_size)
        .deny_public_addresses(emulate.deny_public_addresses)
        .v1_legacy_mode(emulate.v1_legacy_mode);
    for namespace in emulate.unregistered_provider {
        builder = builder.unregistered_provider(namespace);
    }
    macro_rules! set {
        ($($value:expr => $setter:ident),*) => { $(if let Some(value) = &$value { builder = builder.$setter(value); })* };
    }
    set!(
        global.subscription => subscription, global.resource_group => resource_group,
        global.workspace_name => workspace, emulate.location => location
    );
    for cluster in emulate.cluster {
        builder = builder.cluster(cluster);
    }
    for cluster in emulate.connected_cluster {
        builder = builder.connected_cluster(cluster);
    }
    if let Some(seconds) = emulate.duration {
        let duration = Duration::try_from_secs_f64(seconds)
            .map_err(|error| Failure::usage(format!("--duration: {error}")))?;
        builder = builder
            .create_duration(duration)
            .attach_duration(duration)
            .update_duration(duration)
            .delete_duration(duration)
            .detach_duration(duration)
            .deploy_duration(duration)
            .service_update_duration(duration)
            .service_delete_duration(duration)
            .regenerate_keys_duration(duration);
    }
    let (mut http, mut https) = (emulate.http, emulate.https);
    if http.is_none() && https.is_none() {
        http = Some(SocketAddr::from(([127, 0, 0, 1], 8099)));
        https = Some(SocketAddr::from(([127, 0, 0, 1], 8443)));
    }
    let mut options = ServeOptions::new().allow_non_loopback(emulate.allow_non_loopback);
    if let Some(address) = http {
        options = options.http(address);
    }
    if let Some(address) = https {
        options = options.https(address);
    }
    let emulator = builder.build();
    let server = emulator.serve(options).await?;
    let mut ready = json!({
        "http": server.http_url().map(String::from),
        "https": server.https_url().map(String::from),
        "subscription": emulator.subscription(),
        "resource_group": emulator.resource_group(),
        "workspace": emulator.workspace(),
        "location": emulator.location(),
    });
    if server.https_url().is_some() {
        let own = || std::env::temp_dir().join(format!("azureml-aks-{}.pem", std::process::id()));
        let file = emulate.ca.unwrap_or_else(own);
        std::fs::write(&file, server.ca_pem()).map_err(|error| Failure::file(&file, error))?;
        ready["ca"] = file.display().to_string().into();
    }
    output::print(&format!("{ready}\n"))?;
    tokio::signal::ctrl_c().await?;
    server.shutdown().await;
    Ok(Shown::nothing())
}

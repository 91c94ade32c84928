//! `emulator`: the Azure side, on this machine.

use crate::args::boolean;
use crate::connect::Session;
use crate::failure::{Failure, Result};
use crate::output::{self, Shown};
use azureml_aks::emulator::{
    Clock, ConnectedCluster, Emulator, EmulatorBuilder, ExistingCluster, ServeOptions,
};
use clap::Args;
use serde_json::json;
use std::io::ErrorKind;
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
    /// Address for HTTPS, which the commands of this program need [default: 127.0.0.1:8443 without --http].
    #[arg(long, value_name = "ADDRESS")]
    https: Option<SocketAddr>,
    /// File for the authority of the certificate [default: one in the folder for temporary files].
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Region of the workspace.
    #[arg(long, short)]
    location: Option<String>,
    /// A cluster that exists: GROUP/NAME[,version=V][,vm_size=S][,count=N][,location=L][,subscription=ID][,extension=E]
    /// [,local_accounts=BOOL][,trusted_access=BOOL].
    #[arg(long, value_parser = cluster, value_name = "CLUSTER")]
    cluster: Vec<ExistingCluster>,
    /// An Arc-connected cluster: GROUP/NAME[,count=N][,location=L][,subscription=ID][,extension=E].
    #[arg(long, value_parser = connected, value_name = "CLUSTER")]
    connected_cluster: Vec<ConnectedCluster>,
    /// How much faster than real time operations run.
    #[arg(long, default_value_t = 60.0, conflicts_with = "manual")]
    speed: f64,
    /// Let the clock stand still but for the route /_emulator/advance.
    #[arg(long)]
    manual: bool,
    /// How long every operation takes, before --speed.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    duration: Option<Duration>,
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
    /// Set v1 legacy mode of the workspace.
    #[arg(long)]
    v1_legacy_mode: bool,
    /// Actions that the caller may do; `*` stands for any text [default: *]. They are listed, not enforced.
    #[arg(long, value_delimiter = ',', value_name = "ACTIONS")]
    permissions: Vec<String>,
    /// Actions that are excluded from --permissions.
    #[arg(long, value_delimiter = ',', value_name = "ACTIONS")]
    not_permissions: Vec<String>,
    /// A further VM size, or other values for a known one.
    #[arg(long, value_parser = size, value_name = "NAME=CORES,GIGABYTES")]
    vm_size: Vec<(String, u32, f64)>,
    /// The versions of Kubernetes that every region offers; a preview ends with `(preview)`.
    #[arg(long, value_delimiter = ',', value_name = "VERSIONS")]
    kubernetes_versions: Vec<String>,
    /// The minor version that new clusters have.
    #[arg(long, requires = "kubernetes_versions", value_name = "VERSION")]
    default_kubernetes_version: Option<String>,
    /// A file that a run of an experiment produced.
    #[arg(long, value_parser = output, value_name = "EXPERIMENT/RUN/PATH=FILE")]
    run_output: Vec<(String, String, String, PathBuf)>,
    /// How long the signed URL of a blob is valid [default: 24 hours].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    sas_duration: Option<Duration>,
    /// Limit of all blobs in memory, in bytes [default: 4 GiB].
    #[arg(long, value_name = "BYTES")]
    blob_capacity: Option<u64>,
    /// How long the token of a service is valid, and after which time a client should fetch a new one.
    #[arg(long, num_args = 2, value_names = ["SECONDS", "REFRESH_AFTER"], value_parser = seconds)]
    service_token_lifetime: Option<Vec<Duration>>,
    /// Answer a request for a new key with the keys, and start no operation.
    #[arg(long)]
    regenerate_keys_at_once: bool,
    /// Add a signature to the URLs of operations.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_parser = boolean, value_name = "BOOL")]
    signed_polling_urls: bool,
    /// Refuse what a compute cannot do in the form of the service's front end.
    #[arg(long)]
    front_end_refusals: bool,
    /// Answer 404 without a body for a compute that does not exist.
    #[arg(long)]
    absent_without_body: bool,
    /// Keep an attachment working when its cluster is attached again.
    #[arg(long)]
    tolerate_second_attachment: bool,
    /// Allow addresses that other machines can reach. The emulator takes any token.
    #[arg(long)]
    allow_non_loopback: bool,
    // Last, as its heading is that of all that follows.
    #[command(flatten)]
    durations: Durations,
}

/// Defines an option for the duration of each kind of operation, and how it is told to the emulator.
macro_rules! durations {
    ($($(#[$text:meta])* $name:ident),* $(,)?) => {
        #[derive(Debug, Args)]
        #[command(next_help_heading = "Durations, before --speed")]
        pub(crate) struct Durations {
            $($(#[$text])* #[arg(long, value_name = "SECONDS", value_parser = seconds)] $name: Option<Duration>,)*
        }

        impl Durations {
            fn tell(&self, builder: EmulatorBuilder) -> EmulatorBuilder {
                $(let builder = match self.$name {
                    Some(duration) => builder.$name(duration),
                    None => builder,
                };)*
                builder
            }

            fn or(self, every: Option<Duration>) -> Self {
                Self { $($name: self.$name.or(every)),* }
            }
        }
    };
}

durations!(
    /// Creating a cluster.
    create_duration,
    /// Attaching a cluster.
    attach_duration,
    /// Updating a compute.
    update_duration,
    /// Deleting a compute.
    delete_duration,
    /// Detaching a compute.
    detach_duration,
    /// Deploying a service.
    deploy_duration,
    /// Updating a service.
    service_update_duration,
    /// Deleting a service.
    service_delete_duration,
    /// Regenerating a key.
    regenerate_keys_duration,
);

fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "it must be a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// `NAME=CORES,GIGABYTES`
fn size(text: &str) -> std::result::Result<(String, u32, f64), String> {
    let parts = text.split_once('=').and_then(|(name, rest)| {
        let (cores, memory) = rest.split_once(',')?;
        Some((name.to_owned(), cores.parse().ok()?, memory.parse().ok()?))
    });
    parts.ok_or_else(|| "it must be NAME=CORES,GIGABYTES".to_owned())
}

/// `EXPERIMENT/RUN/PATH=FILE`
fn output(text: &str) -> std::result::Result<(String, String, String, PathBuf), String> {
    let parts = text.split_once('=').and_then(|(id, file)| {
        let mut id = id.splitn(3, '/').map(str::to_owned);
        Some((id.next()?, id.next()?, id.next()?, file.into()))
    });
    parts.ok_or_else(|| "it must be EXPERIMENT/RUN/PATH=FILE".to_owned())
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
            "subscription" => cluster.subscription(value),
            "local_accounts" => cluster.local_accounts(boolean(value)?),
            "trusted_access" if boolean(value)? => cluster.trusted_access(),
            "trusted_access" => cluster,
            _ => return Err(format!("a cluster has no {key}")),
        })
    })
}

fn connected(text: &str) -> std::result::Result<ConnectedCluster, String> {
    described(text, ConnectedCluster::new, |cluster, key, value| {
        Ok(match key {
            "count" => cluster.node_count(nodes(value)?),
            "location" => cluster.location(value),
            "subscription" => cluster.subscription(value),
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
        .regenerate_keys_at_once(emulate.regenerate_keys_at_once)
        .signed_polling_urls(emulate.signed_polling_urls)
        .front_end_refusals(emulate.front_end_refusals)
        .absent_without_body(emulate.absent_without_body)
        .tolerate_second_attachment(emulate.tolerate_second_attachment)
        .v1_legacy_mode(emulate.v1_legacy_mode);
    for namespace in emulate.unregistered_provider {
        builder = builder.unregistered_provider(namespace);
    }
    builder = emulate.durations.or(emulate.duration).tell(builder);
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
    for (name, cores, memory_gb) in emulate.vm_size {
        builder = builder.vm_size(name, cores, memory_gb);
    }
    for (experiment, run, path, file) in emulate.run_output {
        let content = std::fs::read(&file).map_err(|error| Failure::file(&file, error))?;
        builder = builder.run_output(experiment, run, path, content);
    }
    if !emulate.permissions.is_empty() || !emulate.not_permissions.is_empty() {
        let allowed = match emulate.permissions.is_empty() {
            true => vec!["*".to_owned()],
            false => emulate.permissions,
        };
        builder = builder.permissions(allowed, emulate.not_permissions);
    }
    if !emulate.kubernetes_versions.is_empty() {
        let default = emulate.default_kubernetes_version.unwrap_or_default();
        builder = builder.kubernetes_versions(emulate.kubernetes_versions, default);
    }
    if let Some([lifetime, refresh]) = emulate.service_token_lifetime.as_deref() {
        builder = builder.service_token_lifetime(*lifetime, *refresh);
    }
    if let Some(bytes) = emulate.blob_capacity {
        builder = builder.blob_capacity(bytes);
    }
    if let Some(duration) = emulate.sas_duration {
        builder = builder.sas_duration(duration);
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
    let server = emulator.serve(options).await.map_err(|error| {
        Failure::new(match error.kind() {
            ErrorKind::AddrInUse => format!(
                "the emulator does not start: {error}; --http and --https take other addresses, port 0 a free one"
            ),
            // An address that others could reach.
            ErrorKind::InvalidInput => {
                format!("the emulator does not start: {error}; --allow-non-loopback allows it")
            }
            _ => format!("the emulator does not start: {error}"),
        })
    })?;
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

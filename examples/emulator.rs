//! The emulator as a program of its own, for clients in other languages.
//!
//! ```text
//! cargo run --example emulator --features emulator -- --http 127.0.0.1:8099 --https 127.0.0.1:8443
//! ```
//!
//! It prints one line of JSON when it is ready, and ends on Ctrl-C. `docs/emulator.md` lists the
//! flags.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use azureml_aks::emulator::{
    Clock, ConnectedCluster, Emulator, EmulatorBuilder, ExistingCluster, ServeOptions,
};

type Error = Box<dyn std::error::Error>;

const USAGE: &str = "\
emulator [--http ADDRESS] [--https ADDRESS] [--ca FILE]
         [--subscription S] [--resource-group G] [--workspace W] [--location L]
         [--cluster GROUP/NAME[,version=V][,vm_size=V][,count=N][,location=L][,extension=E]]...
         [--connected-cluster GROUP/NAME[,count=N][,location=L][,extension=E]]...
         [--speed N | --manual] [--duration SECONDS] [--retry-after SECONDS] [--page-size N]
         [--allow-non-loopback]

Without --http and --https it listens on 127.0.0.1:8099 and 127.0.0.1:8443.";

struct Flags {
    builder: EmulatorBuilder,
    serve: ServeOptions,
    ca: PathBuf,
}

fn parse(args: impl Iterator<Item = String>) -> Result<Flags, Error> {
    // A create of ten minutes takes ten seconds; clients that wait on their own take theirs.
    let mut builder = Emulator::builder()
        .clock(Clock::Automatic { speed: 60.0 })
        .retry_after(Some(Duration::from_secs(1)));
    let (mut http, mut https) = (None::<SocketAddr>, None::<SocketAddr>);
    let mut ca = std::env::temp_dir().join(format!("azureml-aks-{}.pem", std::process::id()));
    let mut anywhere = false;
    let mut args = args;
    while let Some(flag) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{flag} needs a value"));
        builder = match flag.as_str() {
            "--http" => {
                http = Some(value()?.parse()?);
                builder
            }
            "--https" => {
                https = Some(value()?.parse()?);
                builder
            }
            "--ca" => {
                ca = value()?.into();
                builder
            }
            "--allow-non-loopback" => {
                anywhere = true;
                builder
            }
            "--subscription" => builder.subscription(value()?),
            "--resource-group" => builder.resource_group(value()?),
            "--workspace" => builder.workspace(value()?),
            "--location" => builder.location(value()?),
            "--cluster" => builder.cluster(cluster(&value()?)?),
            "--connected-cluster" => builder.connected_cluster(connected(&value()?)?),
            "--speed" => builder.clock(Clock::Automatic {
                speed: value()?.parse()?,
            }),
            "--manual" => builder.clock(Clock::Manual),
            "--duration" => {
                let duration = Duration::try_from_secs_f64(value()?.parse()?)?;
                builder
                    .create_duration(duration)
                    .attach_duration(duration)
                    .update_duration(duration)
                    .delete_duration(duration)
                    .detach_duration(duration)
                    .deploy_duration(duration)
                    .service_update_duration(duration)
                    .service_delete_duration(duration)
                    .regenerate_keys_duration(duration)
            }
            "--retry-after" => builder.retry_after(match value()?.parse()? {
                0 => None,
                seconds => Some(Duration::from_secs(seconds)),
            }),
            "--page-size" => builder.page_size(value()?.parse()?),
            other => return Err(format!("there is no flag {other}\n\n{USAGE}").into()),
        };
    }
    if http.is_none() && https.is_none() {
        http = Some(SocketAddr::from(([127, 0, 0, 1], 8099)));
        https = Some(SocketAddr::from(([127, 0, 0, 1], 8443)));
    }
    let mut serve = ServeOptions::new().allow_non_loopback(anywhere);
    if let Some(address) = http {
        serve = serve.http(address);
    }
    if let Some(address) = https {
        serve = serve.https(address);
    }
    Ok(Flags { builder, serve, ca })
}

/// `GROUP/NAME[,KEY=VALUE]…`: what `new` makes of group and name, changed by `set` for each key.
fn described<'t, C>(
    text: &'t str,
    new: impl FnOnce(&'t str, &'t str) -> C,
    set: impl Fn(C, &str, &str) -> Result<C, Error>,
) -> Result<C, Error> {
    let mut parts = text.split(',');
    let (group, name) = parts
        .next()
        .and_then(|id| id.split_once('/'))
        .filter(|(group, name)| !group.is_empty() && !name.is_empty())
        .ok_or("a cluster needs GROUP/NAME")?;
    parts.try_fold(new(group, name), |cluster, part| {
        let (key, value) = part
            .split_once('=')
            .ok_or("a cluster takes KEY=VALUE after its name")?;
        set(cluster, key, value)
    })
}

fn cluster(text: &str) -> Result<ExistingCluster, Error> {
    described(text, ExistingCluster::new, |cluster, key, value| {
        Ok(match key {
            "version" => cluster.version(value),
            "vm_size" => cluster.vm_size(value),
            "count" => cluster.node_count(value.parse()?),
            "location" => cluster.location(value),
            "extension" => cluster.extension(value),
            other => return Err(format!("--cluster has no {other}").into()),
        })
    })
}

fn connected(text: &str) -> Result<ConnectedCluster, Error> {
    described(text, ConnectedCluster::new, |cluster, key, value| {
        Ok(match key {
            "count" => cluster.node_count(value.parse()?),
            "location" => cluster.location(value),
            "extension" => cluster.extension(value),
            other => return Err(format!("--connected-cluster has no {other}").into()),
        })
    })
}

#[tokio::main]
#[allow(clippy::print_stderr, reason = "a program may say what is wrong")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout, reason = "the line that says that it is ready")]
async fn run() -> Result<(), Error> {
    if std::env::args().any(|arg| arg == "--help" || arg == "-h") {
        println!("{USAGE}");
        return Ok(());
    }
    let flags = parse(std::env::args().skip(1))?;
    let emulator = flags.builder.build();
    let server = emulator.serve(flags.serve).await?;
    let mut ready = serde_json::json!({
        "http": server.http_url().map(String::from),
        "https": server.https_url().map(String::from),
        "subscription": emulator.subscription(),
        "resource_group": emulator.resource_group(),
        "workspace": emulator.workspace(),
        "location": emulator.location(),
    });
    if server.https_url().is_some() {
        std::fs::write(&flags.ca, server.ca_pem())?;
        ready["ca"] = flags.ca.display().to_string().into();
    }
    println!("{ready}");
    tokio::signal::ctrl_c().await?;
    server.shutdown().await;
    Ok(())
}

//! An emulator that outlives the process that starts it, because two processes need it.
//!
//! It is this same program, started in the background. It writes its address into a note beside the
//! token, and ends when the note is removed, or after five minutes.

use crate::Error;
use azureml_aks::emulator::{Clock, Emulator, ServeOptions};
use azureml_aks::{Cloud, Workspace};
use serde::{Deserialize, Serialize};
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The first argument of the process in the background.
pub(crate) const FLAG: &str = "--emulator";

/// A create takes ten minutes there, and twenty seconds here.
const SPEED: f64 = 30.0;
const LIFETIME: Duration = Duration::from_secs(300);
const START: Duration = Duration::from_secs(20);

#[derive(Serialize, Deserialize)]
struct Note {
    process: u32,
    address: SocketAddr,
    /// The authority that signed its certificate, in PEM.
    authority: String,
}

impl Note {
    fn path(folder: &Path) -> PathBuf {
        folder.join("emulator.json")
    }

    fn read(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(Self::path(folder)).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// Runs the process in the background.
pub(crate) async fn serve(folder: &Path) -> Result<(), Error> {
    let emulator = Emulator::builder()
        .clock(Clock::Automatic { speed: SPEED })
        .build();
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = emulator.serve(ServeOptions::new().https(any_port)).await?;
    let url = server.https_url().ok_or("HTTPS is not served")?;
    let note = serde_json::to_string(&Note {
        process: std::process::id(),
        address: SocketAddr::from(([127, 0, 0, 1], url.port().unwrap_or_default())),
        authority: server.ca_pem().to_owned(),
    })?;
    // Renamed, so that nobody reads half of it.
    let path = Note::path(folder);
    let unfinished = path.with_extension("new");
    fs::write(&unfinished, &note)?;
    fs::rename(&unfinished, &path)?;

    let is_there = || fs::read_to_string(&path).is_ok_and(|text| text == note);
    let end = Instant::now() + LIFETIME;
    while is_there() && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    if is_there() {
        release(folder);
    }
    server.shutdown().await;
    Ok(())
}

/// Starts it, and waits until it is ready.
pub(crate) fn start(folder: &Path) -> Result<(), Error> {
    // An emulator of an earlier round ends.
    release(folder);
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg(FLAG)
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Ctrl-C is for the process in the foreground alone.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(&mut command, 0x8 /* detached */);
    let mut process = command.spawn()?;
    let end = Instant::now() + START;
    while Note::read(folder).is_none() {
        if let Some(status) = process.try_wait()? {
            return Err(format!("the emulator ended before it was ready: {status}").into());
        }
        if Instant::now() > end {
            return Err("the emulator does not become ready".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    println!(
        "started an emulator as process {}, at {SPEED} times the speed",
        process.id()
    );
    Ok(())
}

/// The workspace of the emulator that an earlier run, or this one, has started.
pub(crate) fn workspace(folder: &Path) -> Result<Workspace, Error> {
    let note = Note::read(folder)
        // It may have been killed.
        .filter(|note| TcpStream::connect_timeout(&note.address, START).is_ok())
        .ok_or_else(|| {
            let minutes = LIFETIME.as_secs() / 60;
            format!(
                "no emulator is running for the token in {0}: it \
                 ends after {minutes} minutes, and its clusters with it. Remove {0} to begin anew",
                folder.display()
            )
        })?;
    // Every emulator has the same names, and any credential will do.
    let any = Emulator::new();
    let cloud = Cloud::custom(&format!("https://{}", note.address), "https://emulator")?;
    let builder = Workspace::builder(any.subscription(), any.resource_group(), any.workspace())
        .cloud(cloud)
        .extra_ca(note.authority)
        .credential(any.credential());
    Ok(builder.build()?)
}

/// Ends the emulator: it stops when its note is removed.
pub(crate) fn release(folder: &Path) {
    let _ = fs::remove_file(Note::path(folder));
}

//! Parent, server and client: one binary in three parts.

use super::BoxError;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const SERVER: &str = "--as-server";
const CLIENT: &str = "--as-client";

/// The task of this process.
pub(crate) enum Part {
    /// A process that a user started.
    Parent(Options),
    /// One measurement: where the server is, and the task's own arguments.
    Client(Endpoint, Vec<String>),
    /// The other side: the server's own arguments.
    Server(Vec<String>),
}

/// The arguments of the user.
pub(crate) struct Options {
    /// Whether `cargo bench` started this, and not `cargo test --benches`: then once around will do.
    pub(crate) measure: bool,
    /// Instructions instead of times.
    pub(crate) callgrind: bool,
}

/// Where the server is, and which certificate it has.
pub(crate) struct Endpoint {
    pub(crate) origin: String,
    pub(crate) pem: String,
}

/// Finds out what this process is to do.
pub(crate) fn part() -> Result<Part, BoxError> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some(SERVER) => Ok(Part::Server(arguments.collect())),
        Some(CLIENT) => {
            let mut next = || arguments.next().ok_or("an argument is missing");
            let (origin, pem) = (next()?, next()?);
            Ok(Part::Client(Endpoint { origin, pem }, arguments.collect()))
        }
        _ => {
            let asked = |option: &str| std::env::args().any(|argument| argument == option);
            Ok(Part::Parent(Options {
                measure: asked("--bench"),
                callgrind: asked("--callgrind"),
            }))
        }
    }
}

/// A running server, which ends with this value.
pub(crate) struct Server {
    child: Child,
    endpoint: Endpoint,
}

impl Server {
    /// Starts one.
    ///
    /// # Arguments
    ///
    /// * `arguments` - what [`Part::Server`] is given.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self, BoxError> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(SERVER)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let said = child.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(said).lines();
        let origin = lines.next().ok_or("the server did not start")??;
        let mut pem = String::new();
        for line in lines {
            let line = line?;
            pem.push_str(&line);
            pem.push('\n');
            if line.starts_with("-----END") {
                break;
            }
        }
        let endpoint = Endpoint { origin, pem };
        Ok(Self { child, endpoint })
    }

    /// A command that does a task against this server, in a process of its own.
    ///
    /// # Arguments
    ///
    /// * `wrapper` - what runs the client, if it is not run by itself.
    /// * `backtrace` - whether `RUST_BACKTRACE=1` is set for it.
    /// * `task` - what [`Part::Client`] is given.
    pub(crate) fn client(
        &self,
        wrapper: &[&str],
        backtrace: bool,
        task: &[&str],
    ) -> Result<Command, BoxError> {
        let mut words: Vec<OsString> = wrapper.iter().map(OsString::from).collect();
        words.push(std::env::current_exe()?.into());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args([CLIENT, &self.endpoint.origin, &self.endpoint.pem])
            .args(task)
            .env_remove("RUST_BACKTRACE")
            .env_remove("RUST_LIB_BACKTRACE")
            // The library's own client heeds proxies.
            .env("NO_PROXY", "127.0.0.1");
        if backtrace {
            command.env("RUST_BACKTRACE", "1");
        }
        Ok(command)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Runs a client to its end.
pub(crate) fn run(mut command: Command) -> Result<(), BoxError> {
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("a client failed: {status}").into())
    }
}

/// Runs a client to its end and gives what it printed.
pub(crate) fn said(mut command: Command) -> Result<String, BoxError> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)?)
    } else {
        Err(format!("a client failed: {}", output.status).into())
    }
}

/// Lets this process open as many files and connections as it is allowed to.
pub(crate) fn allow_many_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        // Some systems call this no limit and still refuse it.
        let _ = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: maximum,
                maximum,
            },
        );
    }
}

//! A scoring call: what the client costs beside bare `reqwest` with the same body, over TLS and
//! without, as bytes and as JSON.
//!
//! `cargo bench --bench scoring` prints processor time and throughput at 64 requests in flight and at
//! one, as ratios within the run; `-- --callgrind` counts instructions instead, with valgrind. How to
//! read it: `docs/internals/performance.md`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[allow(dead_code, reason = "each bench uses its part")]
mod support;

use azure_core::Bytes;
use azureml_aks::ScoringClient;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::hint::black_box;
use std::process::Stdio;
use std::sync::Arc;
use support::measure::{self, Rounds, Sample, Stopwatch};
use support::process::{self, Endpoint, Options, Part, Server};
use support::server::{self, Answers, Pieces};
use support::{BoxError, contestants};
use url::Url;

const NAMES: [&str; 4] = [
    "reqwest, bytes",
    "azureml-aks, bytes",
    "reqwest + serde_json",
    "azureml-aks, JSON",
];

/// How many requests are in flight, and how many make a block.
const MANY: (usize, usize) = (64, 1_920);
const SINGLE: (usize, usize) = (1, 400);

const PLAIN: &str = "plain";

fn main() -> Result<(), BoxError> {
    match process::part()? {
        Part::Parent(options) => parent(&options),
        Part::Client(endpoint, task) => client(&endpoint, &task),
        Part::Server(arguments) if arguments.iter().any(|own| own == PLAIN) => {
            server::serve_plain(|_| Scores::new())
        }
        Part::Server(_) => server::serve(|_| Scores::new()),
    }
}

fn parent(options: &Options) -> Result<(), BoxError> {
    for (what, arguments) in [("HTTPS", &[][..]), ("plain HTTP", &[PLAIN][..])] {
        let server = Server::start(arguments)?;
        println!("\nPOST of 1.3 kB over {what}, key");
        if options.callgrind {
            instructions(&server)?;
        } else {
            let rounds = if options.measure { "25" } else { "1" };
            process::run(server.client(&[], false, &["rounds", rounds])?)?;
        }
    }
    Ok(())
}

/// The difference between 350 and 50 requests: the start, the handshake and the end fall out.
fn instructions(server: &Server) -> Result<(), BoxError> {
    const FEW: usize = 50;
    const MORE: usize = 350;
    println!("{:<24} {:>13} {:>11}", "", "instructions", "/ reqwest");
    let mut floor = 0.0;
    for (place, name) in NAMES.into_iter().enumerate() {
        let more = counted(server, name, MORE)?;
        let own = (more - counted(server, name, FEW)?) / (MORE - FEW) as f64;
        if place % 2 == 0 {
            floor = own;
        }
        println!("{name:<24} {own:>13.0} {:>11.3}", own / floor);
    }
    Ok(())
}

fn counted(server: &Server, name: &str, requests: usize) -> Result<f64, BoxError> {
    let wrapper = [
        "valgrind",
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
    ];
    let task = ["requests", name, &requests.to_string()];
    let mut command = server.client(&wrapper, false, &task)?;
    let output = command.stdout(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("valgrind failed: {said}").into());
    }
    let collected = said
        .split_once("Collected :")
        .ok_or_else(|| said.to_string())?;
    let number = collected.1.split_whitespace().next().ok_or("no number")?;
    Ok(number.parse()?)
}

/// Always the same scores.
struct Scores(Vec<u8>);

impl Scores {
    fn new() -> Self {
        let body = r#"{"result":[5215.198131579869,3726.995485938573,4421.07,2904.5]}"#;
        let head = format!(
            "HTTP/1.1 200 OK\r\n\
             Server: nginx/1.14.0 (Ubuntu)\r\n\
             Date: Mon, 02 Mar 2026 10:15:00 GMT\r\n\
             Content-Type: application/json\r\n\
             Content-Length: {}\r\n\
             Connection: keep-alive\r\n\
             X-Ms-Request-Id: 0c1d5cf6-3d0e-4b3c-b3f8-9c8e4d7d4b0a\r\n\
             X-Ms-Run-Function-Failed: False\r\n\r\n",
            body.len()
        );
        Self((head + body).into_bytes())
    }
}

impl Answers for Scores {
    fn answer(&self, _method: &str, _path: &str) -> Result<Pieces<'_>, BoxError> {
        Ok([Cow::Borrowed(&self.0), Cow::default(), Cow::default()])
    }
}

#[derive(Serialize)]
struct Input {
    data: Vec<Vec<f64>>,
}

impl Input {
    fn new() -> Self {
        let row = |row: u32| (0..10).map(|at| f64::from(row * 31 + at) / 7.0).collect();
        Self {
            data: (0..7).map(row).collect(),
        }
    }
}

#[derive(Deserialize)]
struct Output {
    result: Vec<f64>,
}

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// All ways to make the same call.
struct Ways {
    reqwest: reqwest::Client,
    url: Url,
    authorization: String,
    library: ScoringClient,
    input: Input,
    body: Bytes,
}

impl Ways {
    fn new(endpoint: &Endpoint) -> Result<Self, BoxError> {
        let url = format!("{}/api/v1/service/diabetes/score", endpoint.origin);
        let input = Input::new();
        Ok(Self {
            reqwest: contestants::client(endpoint)?,
            url: Url::parse(&url)?,
            authorization: format!("Bearer {KEY}"),
            library: ScoringClient::builder(&url)
                .key(KEY)
                .extra_ca(endpoint.pem.as_bytes())
                .build()?,
            body: serde_json::to_vec(&input)?.into(),
            input,
        })
    }

    async fn score(&self, way: usize) -> Result<usize, BoxError> {
        let post = || {
            self.reqwest
                .post(self.url.clone())
                .header("authorization", &self.authorization)
        };
        let scores = match way {
            0 => {
                let sent = post()
                    .header("content-type", "application/json")
                    .body(self.body.clone())
                    .send();
                sent.await?.error_for_status()?.bytes().await?.len()
            }
            1 => {
                let body = self.body.clone();
                let answer = self.library.run_bytes(body, "application/json").await?;
                answer.into_body().len()
            }
            2 => {
                let sent = post()
                    .header("content-type", "application/json")
                    .body(serde_json::to_vec(&self.input)?)
                    .send();
                let answer = sent.await?.error_for_status()?.bytes().await?;
                serde_json::from_slice::<Output>(&answer)?.result.len()
            }
            _ => {
                let output: Output = self.library.run(&self.input).await?;
                output.result.len()
            }
        };
        Ok(black_box(scores))
    }
}

fn client(endpoint: &Endpoint, task: &[String]) -> Result<(), BoxError> {
    measure::pin(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ways = Arc::new(Ways::new(endpoint)?);
    let drive = |way, load| runtime.block_on(drive(&ways, way, load));
    if let [what, name, requests] = task
        && what == "requests"
    {
        let way = NAMES.iter().position(|own| own == name);
        return drive(way.ok_or("no such contestant")?, (1, requests.parse()?));
    }
    let block = |way, load: (usize, usize)| -> Result<Sample, BoxError> {
        let stopwatch = Stopwatch::start();
        drive(way, load)?;
        Ok(stopwatch.stop(load.1))
    };
    let rounds: usize = task.last().ok_or("how many rounds?")?.parse()?;
    let (mut many, mut single) = (Rounds::<4>::new(), Rounds::<4>::new());
    for way in 0..NAMES.len() {
        block(way, MANY)?;
    }
    for round in 0..rounds {
        for (load, samples) in [(MANY, &mut many), (SINGLE, &mut single)] {
            let mut own = [None; 4];
            for way in measure::order::<4>(round) {
                own[way] = Some(block(way, load)?);
            }
            samples.push(own);
        }
    }
    print(rounds, &many, &single);
    Ok(())
}

/// So many requests in flight, each of which begins when the one before it has ended.
#[allow(clippy::future_not_send, reason = "driven by one thread")]
async fn drive(
    ways: &Arc<Ways>,
    way: usize,
    (in_flight, requests): (usize, usize),
) -> Result<(), BoxError> {
    let tasks: Vec<_> = (0..in_flight)
        .map(|_| {
            let ways = ways.clone();
            tokio::spawn(async move {
                for _ in 0..requests / in_flight {
                    ways.score(way).await?;
                }
                Ok::<(), BoxError>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

fn print(rounds: usize, many: &Rounds<4>, single: &Rounds<4>) {
    println!("medians of {rounds} rounds; ratios of processor time within a round, (quartiles)");
    for (what, samples) in [("64 in flight", many), ("one in flight", single)] {
        println!(
            "{what:<24} {:>9} {:>10} {:>18}",
            "cpu us", "POST/s", "/ reqwest"
        );
        for (way, name) in NAMES.into_iter().enumerate() {
            println!(
                "{name:<24} {:>9.1} {:>10.0} {:>18}",
                samples.median(way, |sample| sample.processor),
                1e6 / samples.median(way, |sample| sample.wall),
                samples.ratio(way, way - way % 2, |sample| sample.processor),
            );
        }
    }
}

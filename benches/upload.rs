//! An upload of a large file in blocks over HTTPS: what the library costs beside `azure_storage_blob`
//! called directly.
//!
//! `cargo bench --bench upload --features internals` prints throughput and processor time as ratios
//! within the run, and the memory of each by the size of the file. How to read it:
//! `docs/internals/performance.md`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[allow(dead_code, reason = "each bench uses its part")]
mod support;

use azure_core::http::{Body, ClientOptions, Transport, Url};
use azure_storage_blob::clients::{BlockBlobClient, BlockBlobClientOptions};
use azure_storage_blob::models::BlockBlobClientUploadOptions;
use azure_storage_blob::stream::tokio::FileStream;
use azureml_aks::internals::Blobs;
use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use support::BoxError;
use support::contestants;
use support::measure::{self, Rounds, Stopwatch};
use support::process::{self, Endpoint, Options, Part, Server};
use support::server::{self, Answers, Pieces};

const NAMES: [&str; 2] = ["azure_storage_blob", "azureml-aks"];
const DIRECT: usize = 0;
const MIB: usize = 1 << 20;

fn main() -> Result<(), BoxError> {
    match process::part()? {
        Part::Parent(options) => parent(&options),
        Part::Client(endpoint, task) => client(&endpoint, &task),
        Part::Server(_) => server::serve(|_| Sink),
    }
}

fn parent(options: &Options) -> Result<(), BoxError> {
    let (rounds, sizes) = if options.measure {
        ("25", &[512, 1024, 4096][..])
    } else {
        ("1", &[32][..])
    };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let path = folder.path().join("model.bin");
    let file = path.to_str().ok_or("the path is not Unicode")?;
    let server = Server::start(&[])?;

    make(&path, sizes[0])?;
    println!("\nUpload of {} MiB in blocks of 4 MiB, HTTPS", sizes[0]);
    process::run(server.client(&[], false, &["rounds", file, rounds])?)?;

    println!("\nMemory at the peak over the start, MiB");
    println!("{:<24} {:>9} {:>20} {:>14}", "", "file", NAMES[0], NAMES[1]);
    for &size in sizes {
        make(&path, size)?;
        let peak = |name: &str| -> Result<f64, BoxError> {
            let said = process::said(server.client(&[], false, &["memory", file, name])?)?;
            Ok(said.trim().parse()?)
        };
        let (direct, ours) = (peak(NAMES[0])?, peak(NAMES[1])?);
        println!("{:<24} {size:>9} {direct:>20.1} {ours:>14.1}", "");
    }
    Ok(())
}

fn make(path: &Path, mebibytes: usize) -> Result<(), BoxError> {
    let mut file = File::create(path)?;
    let mut bytes = vec![0; MIB];
    for index in 0..mebibytes {
        bytes.fill(index as u8);
        file.write_all(&bytes)?;
    }
    Ok(())
}

fn client(endpoint: &Endpoint, task: &[String]) -> Result<(), BoxError> {
    measure::pin(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let uploads = Uploads::new(endpoint)?;
    let [what, file, more] = task else {
        return Err("three words make a task".into());
    };
    let file = Path::new(file);
    let upload = |contestant| runtime.block_on(uploads.upload(contestant, file));
    if what == "memory" {
        let contestant = NAMES.iter().position(|name| name == more);
        let before = measure::peak().unwrap_or_default();
        upload(contestant.ok_or("no such contestant")?)?;
        let after = measure::peak().unwrap_or_default();
        println!("{}", (after - before) as f64 / 1024.0);
        return Ok(());
    }
    let mebibytes = file.metadata()?.len() as usize / MIB;
    let rounds = more.parse()?;
    let mut samples = Rounds::<2>::new();
    for contestant in 0..NAMES.len() {
        upload(contestant)?;
    }
    for round in 0..rounds {
        let mut own = [None; 2];
        for contestant in measure::order::<2>(round) {
            let stopwatch = Stopwatch::start();
            upload(contestant)?;
            own[contestant] = Some(stopwatch.stop(mebibytes));
        }
        samples.push(own);
    }
    println!("medians of {rounds} rounds; ratios within a round, (quartiles)");
    println!(
        "{:<24} {:>9} {:>20} {:>12} {:>20}",
        "", "MiB/s", "/ direct", "cpu us/MiB", "/ direct"
    );
    for (contestant, name) in NAMES.into_iter().enumerate() {
        println!(
            "{name:<24} {:>9.0} {:>20} {:>12.0} {:>20}",
            1e6 / samples.median(contestant, |sample| sample.wall),
            samples.ratio(contestant, DIRECT, |sample| 1.0 / sample.wall),
            samples.median(contestant, |sample| sample.processor),
            samples.ratio(contestant, DIRECT, |sample| sample.processor),
        );
    }
    Ok(())
}

/// Both ways to upload, over one transport.
struct Uploads {
    url: String,
    direct: BlockBlobClient,
    ours: Blobs,
}

impl Uploads {
    fn new(endpoint: &Endpoint) -> Result<Self, BoxError> {
        let url = format!("{}/container/model.bin?sv=1&sig=s", endpoint.origin);
        let transport = Transport::new(Arc::new(contestants::client(endpoint)?));
        let options = BlockBlobClientOptions {
            client_options: ClientOptions {
                transport: Some(transport.clone()),
                ..Default::default()
            },
            ..Default::default()
        };
        Ok(Self {
            direct: BlockBlobClient::new(Url::parse(&url)?, None, Some(options))?,
            ours: Blobs::over(transport),
            url,
        })
    }

    async fn upload(&self, contestant: usize, file: &Path) -> Result<(), BoxError> {
        if contestant != DIRECT {
            self.ours.upload(&self.url, file, &|_| {}).await?;
            return Ok(());
        }
        let file = tokio::fs::File::open(file).await?;
        let stream = FileStream::builder(file).build().await?;
        // What it would choose by itself on a small machine, and what the library does.
        let options = BlockBlobClientUploadOptions {
            parallel: NonZero::new(8),
            partition_size: NonZero::new(4 << 20),
            ..Default::default()
        };
        let body: Body = stream.into();
        self.direct.upload(body.into(), Some(options)).await?;
        Ok(())
    }
}

/// Takes everything and keeps nothing.
struct Sink;

impl Answers for Sink {
    fn answer(&self, method: &str, _path: &str) -> Result<Pieces<'_>, BoxError> {
        let head: &[u8] = match method {
            "PUT" => b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
            _ => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        };
        Ok([Cow::Borrowed(head), Cow::Borrowed(b""), Cow::Borrowed(b"")])
    }
}

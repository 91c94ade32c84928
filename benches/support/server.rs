//! An HTTPS server that does as little as it can: keep-alive, fixed answers, no routing but between
//! one compute and a list.

use super::BoxError;
use super::body::{self, PAGE};
use super::measure;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The workspace whose list holds so many computes.
pub(crate) fn workspace(items: usize) -> String {
    format!("{WORKSPACE}{items}")
}

const WORKSPACE: &str = "holds-";

/// Serves until the standard input ends. Says its origin and certificate first.
pub(crate) fn serve() -> Result<(), BoxError> {
    measure::pin(1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    runtime.block_on(async {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let key = PrivateKeyDer::try_from(signing_key.serialize_der())?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let origin = format!("https://{}", listener.local_addr()?);
        print!("{origin}\n{}", cert.pem());
        std::io::stdout().flush()?;
        let answers = Arc::new(Answers::new(origin));
        loop {
            let (stream, _) = listener.accept().await?;
            let (acceptor, answers) = (acceptor.clone(), answers.clone());
            tokio::spawn(async move {
                // A client that is done hangs up; nobody asks why.
                let _ = connection(stream, &acceptor, &answers).await;
            });
        }
    })
}

struct Answers {
    origin: String,
    compute: Vec<u8>,
    items: String,
}

impl Answers {
    fn new(origin: String) -> Self {
        let compute = body::compute("scoring-00000");
        Self {
            origin,
            compute: [body::head(compute.len()), compute].concat().into_bytes(),
            items: body::items(PAGE),
        }
    }

    /// The head of a page, and what stands around its items.
    fn page(&self, path: &str) -> Option<(String, String)> {
        let total: usize = path
            .split_once(WORKSPACE)?
            .1
            .split('/')
            .next()?
            .parse()
            .ok()?;
        let (first, skipped) = match path.split_once("&$skiptoken=") {
            Some((first, skipped)) => (first, skipped.parse().ok()?),
            None => (path, 0),
        };
        let next = skipped + PAGE;
        let end = if next < total {
            format!(
                r#"],"nextLink":"{}{first}&$skiptoken={next}"}}"#,
                self.origin
            )
        } else {
            "]}".to_owned()
        };
        let length = START.len() + self.items.len() + end.len();
        Some((body::head(length) + START, end))
    }
}

const START: &str = r#"{"value":["#;

async fn connection(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    answers: &Answers,
) -> Result<(), BoxError> {
    stream.set_nodelay(true)?;
    let mut stream = acceptor.accept(stream).await?;
    let mut request = Vec::with_capacity(8 << 10);
    loop {
        request.clear();
        while !request.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        let line = request
            .split(|byte| *byte == b'\r')
            .next()
            .unwrap_or_default();
        let line = std::str::from_utf8(line)?;
        let path = line.split(' ').nth(1).ok_or("no path")?;
        if path.contains("/computes?") {
            let (start, end) = answers.page(path).ok_or("no such list")?;
            stream.write_all(start.as_bytes()).await?;
            stream.write_all(answers.items.as_bytes()).await?;
            stream.write_all(end.as_bytes()).await?;
        } else {
            stream.write_all(&answers.compute).await?;
        }
        stream.flush().await?;
    }
}

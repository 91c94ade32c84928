//! An HTTPS server that does as little as it can: one thread, keep-alive, answers made beforehand.
//! What it says is up to the bench.

use super::BoxError;
use super::{measure, process};
use std::borrow::Cow;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The answer of a server.
pub(crate) trait Answers: Send + Sync + 'static {
    /// The whole answer, head and all. In pieces, so that what is large need not be copied.
    fn answer(&self, method: &str, path: &str) -> Result<Pieces<'_>, BoxError>;

    /// A connection has come.
    fn connected(&self) {}

    /// A connection has gone.
    fn disconnected(&self) {}
}

pub(crate) type Pieces<'a> = [Cow<'a, [u8]>; 3];

/// How many connections may wait to be accepted. Ten thousand that come at once are to wait for the
/// server, not for a second try a second later; the system may allow fewer.
const BACKLOG: u32 = 16_384;

/// Serves until the standard input ends. Says its origin and certificate first.
///
/// # Arguments
///
/// * `answers` - makes the answers of a server with this origin.
pub(crate) fn serve<A: Answers>(answers: impl FnOnce(String) -> A) -> Result<(), BoxError> {
    serve_as("https", answers)
}

/// [`serve`] without TLS. There is a certificate all the same, so that clients are set up alike.
pub(crate) fn serve_plain<A: Answers>(answers: impl FnOnce(String) -> A) -> Result<(), BoxError> {
    serve_as("http", answers)
}

fn serve_as<A: Answers>(scheme: &str, answers: impl FnOnce(String) -> A) -> Result<(), BoxError> {
    measure::pin(1);
    process::allow_many_files();
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
        let acceptor = (scheme == "https").then(|| TlsAcceptor::from(Arc::new(config)));
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(BACKLOG)?;
        let origin = format!("{scheme}://{}", listener.local_addr()?);
        let answers = Arc::new(answers(origin.clone()));
        print!("{origin}\n{}", cert.pem());
        std::io::stdout().flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            let (acceptor, answers) = (acceptor.clone(), answers.clone());
            tokio::spawn(async move {
                answers.connected();
                // A client that is done hangs up; nobody asks why.
                let _ = connection(stream, acceptor.as_ref(), &*answers).await;
                answers.disconnected();
            });
        }
    })
}

async fn connection(
    stream: TcpStream,
    acceptor: Option<&TlsAcceptor>,
    answers: &impl Answers,
) -> Result<(), BoxError> {
    stream.set_nodelay(true)?;
    match acceptor {
        Some(acceptor) => talk(acceptor.accept(stream).await?, answers).await,
        None => talk(stream, answers).await,
    }
}

async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answers: &impl Answers,
) -> Result<(), BoxError> {
    let mut request = Vec::with_capacity(8 << 10);
    loop {
        request.clear();
        while !is_whole(&request) {
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        let line = request
            .split(|byte| *byte == b'\r')
            .next()
            .unwrap_or_default();
        let mut words = std::str::from_utf8(line)?.split(' ');
        let method = words.next().ok_or("no method")?;
        let path = words.next().ok_or("no path")?;
        for piece in answers.answer(method, path)? {
            stream.write_all(&piece).await?;
        }
        stream.flush().await?;
    }
}

fn is_whole(request: &[u8]) -> bool {
    const END: &[u8] = b"\r\n\r\n";
    if request.starts_with(b"GET ") {
        return request.ends_with(END);
    }
    let Some(head) = request.windows(END.len()).position(|window| window == END) else {
        return false;
    };
    let lines = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = lines
        .split_once("\r\ncontent-length:")
        .and_then(|(_, rest)| rest.lines().next()?.trim().parse().ok());
    request.len() >= head + END.len() + length.unwrap_or(0)
}

//! Signed URLs, which are secrets.

use crate::error::{Error, ErrorKind};
use std::fmt;
use url::{Host, Url};

/// The URL of one blob, with a signature that lets whoever has it read or write the blob.
///
/// Shows its host and nothing else.
#[derive(Clone)]
pub(crate) struct SasUrl(Url);

impl SasUrl {
    /// Reads a URL that the service handed out: `https`; nobody's name before the `@`; the path of a
    /// container and a blob.
    ///
    /// # Arguments
    ///
    /// * `local` - whether `http` to this machine is taken too, where a local store such as Azurite
    ///   listens. Azure itself has no reason to name what listens here.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Protocol`] for a text that is not such a URL, [`ErrorKind::UntrustedUrl`] for one that must not
    /// be followed. Neither quotes it.
    pub(crate) fn parse(text: &str, local: bool) -> Result<Self, Error> {
        let garbled = |what: &str| {
            Error::new(
                ErrorKind::Protocol,
                format!("the service gave a URL for a blob that {what}"),
            )
        };
        let url = Url::parse(text.trim()).map_err(|_| garbled("cannot be read"))?;
        let Some(host) = url.host() else {
            return Err(garbled("names no host"));
        };
        let untrusted = |what: &str| {
            Error::new(
                ErrorKind::UntrustedUrl,
                format!(
                    "the service gave a URL for a blob on {host} that {what}; nothing was sent there"
                ),
            )
        };
        match url.scheme() {
            "https" => {}
            "http" if local && is_loopback(&host) => {}
            "http" => return Err(untrusted("is not encrypted")),
            _ => return Err(untrusted("is not an https URL")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(untrusted("holds a user name"));
        }
        // It is not sent, and may hold a part of the signature that was not escaped.
        if url.fragment().is_some() {
            return Err(garbled("has a fragment"));
        }
        let parts = url.path_segments().into_iter().flatten();
        if parts.clone().count() < 2 || parts.last().is_none_or(str::is_empty) {
            return Err(garbled("names no blob"));
        }
        Ok(Self(url))
    }

    /// With everything in it: for the client alone.
    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// The last part of the blob's name.
    pub(crate) fn name(&self) -> String {
        let last = self.0.path_segments().and_then(Iterator::last);
        // `url` decodes forms only, in which these three have a meaning of their own.
        let form = last
            .unwrap_or_default()
            .replace('+', "%2B")
            .replace('&', "%26")
            .replace('=', "%3D");
        url::form_urlencoded::parse(form.as_bytes())
            .next()
            .map_or_else(String::new, |(name, _)| name.into_owned())
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

impl fmt::Debug for SasUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SasUrl({})", self.0.host_str().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_urls_of_azure_and_of_a_local_store_are_read() {
        for (text, name) in [
            (
                "https://acct.blob.core.windows.net/c/a/my%20model%2B1.pkl?sv=1&sig=s3cr3t%2B%3D",
                "my model+1.pkl",
            ),
            (
                "https://acct.blob.core.windows.net/c/a+b&c=d?sig=s",
                "a+b&c=d",
            ),
            (
                "http://127.0.0.1:10000/devstoreaccount1/c/b?sig=s3cr3t",
                "b",
            ),
            ("http://localhost:1/c/b", "b"),
            ("http://acct.blob.localhost:1/c/b", "b"),
            (" http://[::1]:1/c/b\n", "b"),
        ] {
            let sas = SasUrl::parse(text, true).unwrap();
            assert_eq!(
                SasUrl::parse(text, false).is_ok(),
                sas.url().scheme() == "https",
                "{text}"
            );
            assert_eq!(sas.name(), name);
            assert_eq!(sas.url().as_str(), text.trim());
        }
    }

    #[test]
    fn other_urls_are_refused_and_never_quoted() {
        use ErrorKind::{Protocol, UntrustedUrl};
        for (text, kind) in [
            ("", Protocol),
            ("s3cr3t", Protocol),
            ("/c/b?sig=s3cr3t", Protocol),
            ("mailto:s3cr3t", Protocol),
            ("https:///c/b?sig=s3cr3t", Protocol),
            ("https://host?sig=s3cr3t", Protocol),
            ("https://host/s3cr3t", Protocol),
            ("https://host/c/?sig=s3cr3t", Protocol),
            ("https://host/c/b?sig=s3cr3t#s3cr3t", Protocol),
            ("https://host/c/b?sig=s3cr3t#", Protocol),
            ("http://host/c/b?sig=s3cr3t", UntrustedUrl),
            ("http://10.0.0.1/c/b?sig=s3cr3t", UntrustedUrl),
            ("http://localhost.evil.example/c/b?sig=s3cr3t", UntrustedUrl),
            ("ftp://host/c/b?sig=s3cr3t", UntrustedUrl),
            ("https://s3cr3t@host/c/b", UntrustedUrl),
            ("https://u:s3cr3t@host/c/b", UntrustedUrl),
        ] {
            let error = SasUrl::parse(text, true).unwrap_err();
            assert_eq!(error.kind(), kind, "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
        }
    }

    #[test]
    fn signature_is_not_shown() {
        let sas = SasUrl::parse("https://host/c/b?sig=s3cr3t", false).unwrap();
        assert_eq!(format!("{sas:?}"), "SasUrl(host)");
    }
}

//! The display of errors.

use super::logs::ContainerLogs;
use super::{Error, redact_cause};
use std::fmt;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        let inner = &*self.inner;
        let mut f = Printable(f);
        if let Some(context) = &inner.context {
            write!(f, "{context}: ")?;
        }
        f.write_str(&inner.message)?;
        for finding in &inner.findings {
            f.0.write_str("\n  ")?;
            write!(f, "{finding}")?;
        }
        // Of a write whose answer is missing nothing is known yet.
        if let Some(operation) = &inner.operation
            && (operation.polls > 0 || operation.last_status.is_some())
        {
            write!(
                f,
                " (last status {}, {} poll{} in {:.0?})",
                operation.last_status.as_deref().unwrap_or("unknown"),
                operation.polls,
                if operation.polls == 1 { "" } else { "s" },
                operation.elapsed
            )?;
        }
        if let Some(response) = &inner.response {
            if let Some(status) = response.status {
                write!(f, " [status {status}]")?;
            }
            if let Some(id) = &response.request_id {
                write!(f, " [request id {id}]")?;
            }
            if let Some(id) = &response.correlation_id {
                write!(f, " [correlation id {id}]")?;
            }
        }
        if let Some(remedy) = inner.remedy {
            write!(f, "; {remedy}")?;
        }
        for (container, line) in inner.logs.iter().flat_map(ContainerLogs::last_lines) {
            f.0.write_str("\n  ")?;
            write!(f, "{container}: {line}")?;
        }
        Ok(())
    }
}

/// Writes without what would steer a terminal or a log: the texts are mostly not ours. Line breaks
/// and tabs become spaces, other control characters and changes of the direction of writing vanish.
struct Printable<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl fmt::Write for Printable<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let steers = |c: char| {
            c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        for piece in text.split_inclusive(steers) {
            let plain = piece.trim_end_matches(steers);
            self.0.write_str(plain)?;
            if piece[plain.len()..].contains(['\n', '\r', '\t', '\u{2028}', '\u{2029}']) {
                self.0.write_str(" ")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    /// Writes the text of `Display` and the kind: nothing else is safe to print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self}", self.inner.kind)?;
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            write!(f, "; caused by: {}", redact_cause(&cause.to_string()))?;
            source = cause.source();
        }
        f.write_str(")")
    }
}

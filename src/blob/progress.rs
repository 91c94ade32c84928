//! How far a transfer is.

/// The progress of the upload or the download of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransferProgress {
    /// The file: the last part of its blob's name, until someone knows it by a better one.
    pub file: String,
    /// The number of bytes that have arrived so far. Those that an earlier try had sent count as soon as it is found;
    /// should the store have lost it, the count begins again.
    pub bytes: u64,
    /// The size of the file in bytes.
    pub total: u64,
}

/// Counts what has arrived and tells it.
pub(super) struct Report<'a> {
    tell: super::OnProgress<'a>,
    progress: TransferProgress,
}

impl<'a> Report<'a> {
    /// Tells that nothing has arrived yet.
    pub(super) fn start(tell: super::OnProgress<'a>, file: String, total: u64) -> Self {
        let progress = TransferProgress {
            file,
            bytes: 0,
            total,
        };
        tell(progress.clone());
        Self { tell, progress }
    }

    pub(super) fn more(&mut self, bytes: u64) {
        self.progress.bytes += bytes;
        (self.tell)(self.progress.clone());
    }

    /// Begins again.
    pub(super) fn restart(&mut self) {
        self.progress.bytes = 0;
        (self.tell)(self.progress.clone());
    }
}

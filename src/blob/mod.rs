//! Blobs behind URLs that are signed already: uploads that go on where they stopped, and downloads.

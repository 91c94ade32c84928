//! Uploads and downloads against a store in memory that fails on command.

mod downloading;
mod store;
mod uploading;

//! Models of the workspace: register, read, delete, download.

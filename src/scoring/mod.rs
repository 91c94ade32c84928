//! Calling a deployed service.

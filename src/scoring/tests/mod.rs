//! The held credential, under a paused clock: how often it is fetched, who waits, and who does not.

mod fetching;
mod refusing;
mod support;

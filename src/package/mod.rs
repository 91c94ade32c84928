//! The upload for a service that runs code: `sources` finds the files, `archive` packs them, `driver`
//! writes the program with which the service starts, and `pack` makes one upload of it all.

mod archive;
mod driver;
mod pack;
pub(crate) mod script;
pub(crate) mod sources;

#[cfg(test)]
pub(crate) use pack::make_now;
pub(crate) use pack::{Package, make};
pub(crate) use script::Script;

//! Requests and answers against Microsoft's published descriptions of the service.

mod checker;
mod examples;
#[cfg(feature = "emulator")]
mod library;
#[cfg(all(feature = "emulator", feature = "services"))]
mod library_services;
#[cfg(feature = "emulator")]
mod models;
mod routes;
#[cfg(feature = "emulator")]
mod services;
mod verdict;

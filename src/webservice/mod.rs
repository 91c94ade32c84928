//! Models deployed as web services.

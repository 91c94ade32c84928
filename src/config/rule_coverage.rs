//! Every rule is broken once.

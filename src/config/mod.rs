//! Builders that make validated values, and the requests made of them.

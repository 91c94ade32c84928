//! Tests across all modules: every rule can be broken, and documents of every resource are kept.

#[cfg(feature = "services")]
mod deploy_rules;
mod documents;
#[cfg(feature = "services")]
mod inference_rules;
mod rules;
mod texts;

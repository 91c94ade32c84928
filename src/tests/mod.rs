//! What concerns modules of every rank: that no rule is dead, and what documents of every resource keep.

#[cfg(feature = "services")]
mod deploy_rules;
mod documents;
#[cfg(feature = "services")]
mod inference_rules;
mod rules;
mod texts;

//! The authentication of calls to a service.

use crate::rules::{self, Findings};
use azure_core::credentials::Secret;
use serde_json::{Map, Value};

/// The authentication of the callers of a service.
///
/// The service knows two switches, for keys and for tokens, that must not both be on; a type with
/// three cases cannot express that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Auth {
    /// A key that does not expire, in the header `Authorization`. The documented default.
    #[default]
    Key,
    /// A token that expires, and that the workspace gives to those who may read it.
    ///
    /// The token comes from the region of the *workspace*: while that region is down, no token is available,
    /// and distance adds time. Keep cluster and workspace in one region.
    Token,
    /// No authentication: everyone who reaches the address may call.
    Disabled,
}

impl Auth {
    /// Returns whether keys are on, and whether tokens are. Both are always sent together, so that turning
    /// one on turns the other one off in the same request.
    pub(super) fn switches(self) -> (bool, bool) {
        match self {
            Self::Key => (true, false),
            Self::Token => (false, true),
            Self::Disabled => (false, false),
        }
    }
}

/// The keys that a new service takes instead of making its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Keys {
    pub(super) primary: Option<Secret>,
    pub(super) secondary: Option<Secret>,
}

impl Keys {
    pub(super) fn check(&self, auth: Option<Auth>, findings: &mut Findings) {
        for (path, key) in self.members() {
            if key.is_some_and(|key| key.secret().trim().is_empty()) {
                findings.refuse(
                    rules::DEPLOY_KEY_EMPTY,
                    path,
                    None,
                    "the key is empty",
                    "give a key, or leave it out and the service makes one",
                );
            }
        }
        let first = self.members().into_iter().find(|(_, key)| key.is_some());
        if let Some((path, _)) = first
            && matches!(auth, Some(Auth::Token | Auth::Disabled))
        {
            findings.advise(
                rules::DEPLOY_KEYS_UNUSED,
                path,
                "keys are given, but key authentication is off",
                "use `Auth::Key`, or leave the keys out",
            );
        }
    }

    /// Returns the keys as the service reads them, in clear; `None` where none is given.
    pub(super) fn value(&self) -> Option<Value> {
        let members: Map<String, Value> = [
            ("primaryKey", &self.primary),
            ("secondaryKey", &self.secondary),
        ]
        .into_iter()
        .filter_map(|(name, key)| Some((name.to_owned(), key.as_ref()?.secret().into())))
        .collect();
        (!members.is_empty()).then(|| members.into())
    }

    fn members(&self) -> [(&'static str, Option<&Secret>); 2] {
        [
            ("primary_key", self.primary.as_ref()),
            ("secondary_key", self.secondary.as_ref()),
        ]
    }
}

//! Taking up the wait for an operation that another process began.

use super::kind::Aks;
use super::{AksCompute, ComputeTarget, Found, read, remove, update};
use crate::error::{Error, ErrorKind};
use crate::names::ComputeName;
use crate::operation::{Driver, Machine, Operation, StatusClass, is_deleting};
use crate::token::{HttpVerb, ResumeToken, TokenParts, Verb};
use crate::wire::ComputeResource;
use crate::workspace::Workspace;
use azure_core::time::{Duration, OffsetDateTime};
use std::marker::PhantomData;
use std::sync::Arc;
use url::Url;

/// What [`Workspace::resume`] found.
#[derive(Debug)]
#[non_exhaustive]
pub enum Resumed {
    /// A create or an attach: wait with
    /// [`wait_for_completion`](ComputeTarget::wait_for_completion), which returns at once if it is
    /// done.
    Compute(AksCompute),
    /// An update, running or done.
    Update(Operation<AksCompute>),
    /// A detach or delete, running or done.
    Removal(Operation<()>),
    /// The request never arrived, as far as the compute shows: begin again.
    ///
    /// For an update this is also the answer where the compute is at rest, because it does not show
    /// whose update was the last. To update again is harmless.
    NotStarted {
        /// What was to be done.
        verb: Verb,
        /// The name of the compute.
        name: String,
    },
}

/// Clocks of the service and of this machine may differ by this much.
const SKEW: Duration = Duration::minutes(5);

impl Workspace {
    /// Takes up the wait for an operation from its token, in this process or another.
    ///
    /// Where the service's answer to the first request was seen before the token was stored, this
    /// does no I/O. For the token of a prepared verb the compute is read, to find out whether the
    /// request arrived. A request that is still on its way cannot be seen: after a crash, give the
    /// service a minute before `NotStarted` counts.
    ///
    /// Sends: a GET of the compute, for the token of a prepared verb.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ResumeToken`] if the token belongs to another endpoint or workspace; otherwise
    /// those of reading the compute.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn resume(&self, token: &ResumeToken) -> Result<Resumed, Error> {
        let name = self.owner_of(token.parts())?;
        if token.parts().accepted {
            let begun = Machine::resume(token.parts(), self.client().origins())?;
            return Ok(match token.verb() {
                Verb::Create | Verb::Attach => {
                    let (machine, step) = begun;
                    let driver = Driver::new(
                        self.client().clone(),
                        name.to_string(),
                        Some(token.clone()),
                        (machine.made_here(), step),
                    );
                    Resumed::Compute(ComputeTarget {
                        workspace: self.clone(),
                        name,
                        resource: Arc::new(ComputeResource::default()),
                        pending: Some(Box::new(driver)),
                        requested: None,
                        deviations: Vec::new(),
                        kind: PhantomData,
                    })
                }
                Verb::Update => {
                    Resumed::Update(update::operation(self, &name, token.clone(), begun))
                }
                Verb::Delete | Verb::Detach => {
                    Resumed::Removal(remove::operation(self, &name, token.clone(), begun))
                }
            });
        }
        let found = read(self, &name).await;
        let found = found.map_err(|error| {
            error.with_context(|| format!("resume {} of compute {:?}", token.verb(), name.as_str()))
        })?;
        self.probed(token, name, found)
    }

    fn probed(
        &self,
        token: &ResumeToken,
        name: ComputeName,
        found: Found<ComputeResource>,
    ) -> Result<Resumed, Error> {
        let verb = token.verb();
        let not_started = Resumed::NotStarted {
            verb,
            name: name.to_string(),
        };
        let url = Url::parse(&token.parts().initial_uri).map_err(|_| {
            Error::new(ErrorKind::ResumeToken, "the token holds a URL that is none")
        })?;
        let removal =
            |begun| Resumed::Removal(remove::operation(self, &name, token.clone(), begun));
        let resource = match found {
            Found::Resource(resource) => *resource,
            Found::Nothing(_) => {
                return Ok(match verb {
                    Verb::Delete | Verb::Detach => {
                        Resumed::Removal(remove::gone(self, &name, &url, token.clone()))
                    }
                    Verb::Attach | Verb::Create | Verb::Update => not_started,
                });
            }
        };
        let properties = &resource.properties;
        let state = properties.provisioning_state.as_deref().unwrap_or_default();
        let running = !state.is_empty() && !StatusClass::of(state).is_terminal();
        let begun = || {
            let mut parts = token.parts().clone();
            parts.last_status = properties.provisioning_state.clone();
            Machine::resume(&parts, self.client().origins())
        };
        let started = OffsetDateTime::from(token.started_at());
        let moment =
            |text: Option<&str>| text.and_then(|text| azure_core::time::parse_rfc3339(text).ok());
        Ok(match verb {
            Verb::Attach | Verb::Create => {
                // An older compute of that name is why the create was refused, or would be; and so
                // is one that came about in the other way.
                let created = moment(properties.created_on.as_deref());
                let older = created.is_some_and(|created| created < started - SKEW);
                let other = properties.is_attached_compute == Some(verb == Verb::Create);
                if older || other {
                    return Ok(not_started);
                }
                let mut compute = ComputeTarget::<Aks>::found(self.clone(), name, resource)?;
                if running {
                    compute.follow(Some(token.clone()));
                }
                Resumed::Compute(compute)
            }
            // Only what can be nothing else counts: the compute is updating, and was changed after
            // the token was made. At rest it does not tell whose update was the last.
            Verb::Update => {
                let modified = moment(properties.modified_on.as_deref());
                let ours = state.trim().eq_ignore_ascii_case("Updating")
                    && modified.is_some_and(|modified| modified > started - SKEW);
                match ours {
                    true => {
                        Resumed::Update(update::operation(self, &name, token.clone(), begun()?))
                    }
                    false => not_started,
                }
            }
            // Somebody else's create or update may run: that is no removal.
            Verb::Delete | Verb::Detach if is_deleting(state) => removal(begun()?),
            Verb::Delete | Verb::Detach => not_started,
        })
    }

    /// The compute that the token is about, if it is one of this workspace.
    fn owner_of(&self, token: &TokenParts) -> Result<ComputeName, Error> {
        let refuse = |why: &str| Error::new(ErrorKind::ResumeToken, why);
        let url = Url::parse(&token.initial_uri)
            .map_err(|_| refuse("the token holds a URL that is none"))?;
        self.client()
            .origins()
            .check(&url)
            .map_err(|_| refuse("the token belongs to another endpoint"))?;
        if token.endpoint != url.origin().ascii_serialization() {
            return Err(refuse("the token contradicts itself about its endpoint"));
        }
        if !fits(token, &url) {
            return Err(refuse("the token contradicts itself about its verb"));
        }
        let own = self.url_of(&["computes"]);
        let (folder, name) = url
            .path()
            .rsplit_once('/')
            .ok_or_else(|| refuse("the token names no compute"))?;
        if !folder.eq_ignore_ascii_case(own.path()) {
            return Err(refuse("the token belongs to another workspace"));
        }
        // Names of another year may need percent-encoding; a plus sign is only itself in a path.
        let name = name.replace('+', "%2B");
        let decoded = url::form_urlencoded::parse(name.as_bytes()).next();
        let name = decoded.map_or_else(String::new, |(name, _)| name.into_owned());
        super::existing(&name).map_err(|_| refuse("the token names no compute"))
    }
}

/// Whether what was sent is what the token says was asked for: it must not be possible to wait for
/// a delete in the belief that it was a detach.
fn fits(token: &TokenParts, url: &Url) -> bool {
    let action = url
        .query_pairs()
        .find(|(name, _)| name.eq_ignore_ascii_case("underlyingResourceAction"))
        .map(|(_, action)| action.to_ascii_lowercase());
    let expected = match token.op {
        Verb::Attach | Verb::Create | Verb::Update => (HttpVerb::Put, None),
        Verb::Delete => (HttpVerb::Delete, Some("delete")),
        Verb::Detach => (HttpVerb::Delete, Some("detach")),
    };
    (token.method, action.as_deref()) == expected
}

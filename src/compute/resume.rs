//! Taking up the wait for an operation that another process began.

use super::kind::{Aks, Kind};
use super::{AksCompute, ComputeTarget, Found, read, remove, update};
use crate::error::{Error, ErrorKind};
use crate::names::ComputeName;
use crate::operation::{Driver, Machine, Operation, StatusClass, is_deleting};
use crate::token::{HttpVerb, ResumeToken, TokenParts, Verb};
use crate::wire::ComputeResource;
use crate::workspace::Workspace;
use azure_core::time::{Duration, OffsetDateTime};
use futures::{StreamExt, stream};
use std::collections::{HashMap, HashSet};
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

impl Resumed {
    /// What was asked for; `None` for a compute that is ready.
    #[must_use]
    pub fn verb(&self) -> Option<Verb> {
        match self {
            Self::Compute(compute) => compute.resume_token().map(ResumeToken::verb),
            Self::NotStarted { verb, .. } => Some(*verb),
            Self::Removal(operation) => operation.verb(),
            Self::Update(operation) => operation.verb(),
        }
    }

    /// The name of the compute.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Compute(compute) => compute.name().as_str(),
            Self::NotStarted { name, .. } => name,
            Self::Removal(operation) => operation.target(),
            Self::Update(operation) => operation.target(),
        }
    }

    /// What takes the wait up again; `None` where nothing goes on.
    #[must_use]
    pub fn resume_token(&self) -> Option<&ResumeToken> {
        match self {
            Self::Compute(compute) => compute.resume_token(),
            Self::NotStarted { .. } => None,
            Self::Removal(operation) => operation.resume_token(),
            Self::Update(operation) => operation.resume_token(),
        }
    }
}

impl From<AksCompute> for Resumed {
    fn from(compute: AksCompute) -> Self {
        Self::Compute(compute)
    }
}

impl From<Operation<AksCompute>> for Resumed {
    fn from(update: Operation<AksCompute>) -> Self {
        Self::Update(update)
    }
}

impl From<Operation<()>> for Resumed {
    fn from(removal: Operation<()>) -> Self {
        Self::Removal(removal)
    }
}

/// Computes that are looked up at the same time.
const READS: usize = 6;

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
            return self.accepted(token, name);
        }
        self.look_up(token, name).await
    }

    /// [`resume`](Self::resume) for many tokens, without a read for each: the tokens of prepared verbs
    /// are looked up in the list of computes. What the list does not show is read by itself, for a list
    /// may lag; so is everything if the list cannot be read.
    ///
    /// The results are in the order of the tokens; [`wait_all`](crate::wait_all) waits for all of them.
    ///
    /// Sends: GETs of the list of computes, if two tokens or more are of prepared verbs; a GET for each
    /// compute that it does not show. Nothing for other tokens.
    ///
    /// # Errors
    ///
    /// None of its own; each result is that of [`resume`](Self::resume).
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # let emulator = azureml_aks::emulator::Emulator::new();
    /// # let workspace = azureml_aks::Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let config = azureml_aks::AksCompute::provisioning_configuration().build()?;
    /// use azureml_aks::{ComputeTarget, WaitOptions, wait_all};
    ///
    /// let mut tokens = Vec::new();
    /// for name in ["first", "second"] {
    ///     let prepared = ComputeTarget::prepare_create(&workspace, name, config.clone())?;
    ///     tokens.push(prepared.token().clone());
    ///     prepared.send().await?;
    /// }
    /// // Another process, later:
    /// let resumed: Result<Vec<_>, _> = workspace.resume_all(&tokens).await.into_iter().collect();
    /// for result in wait_all(&mut resumed?, WaitOptions::new()).await {
    ///     result?;
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn resume_all<'a>(
        &self,
        tokens: impl IntoIterator<Item = &'a ResumeToken>,
    ) -> Vec<Result<Resumed, Error>> {
        let owned = |token: &'a ResumeToken| (token, self.owner_of(token.parts()));
        let tokens: Vec<_> = tokens.into_iter().map(owned).collect();
        let wanted: HashSet<String> = tokens
            .iter()
            .filter(|(token, _)| !token.parts().accepted)
            .filter_map(|(_, name)| Some(name.as_ref().ok()?.as_str().to_ascii_lowercase()))
            .collect();
        let listed = match wanted.len() {
            0 | 1 => HashMap::new(),
            _ => self.listed(wanted).await,
        };
        // Made before they are awaited: a closure in the stream would keep the whole from being `Send`
        // for every lifetime.
        let each: Vec<_> = tokens
            .into_iter()
            .map(|(token, name)| self.resume_listed(token, name, &listed))
            .collect();
        stream::iter(each).buffered(READS).collect().await
    }

    async fn resume_listed(
        &self,
        token: &ResumeToken,
        name: Result<ComputeName, Error>,
        listed: &HashMap<String, ComputeResource>,
    ) -> Result<Resumed, Error> {
        let name = name?;
        if token.parts().accepted {
            return self.accepted(token, name);
        }
        match listed.get(&name.as_str().to_ascii_lowercase()) {
            Some(resource) => {
                let found = Found::Resource(Box::new(resource.clone()));
                self.probed(token, name, found)
            }
            None => self.look_up(token, name).await,
        }
    }

    /// The computes of these names, as far as the list shows them.
    async fn listed(&self, mut wanted: HashSet<String>) -> HashMap<String, ComputeResource> {
        let mut found = HashMap::new();
        let mut computes = std::pin::pin!(self.computes());
        while let (false, Some(item)) = (wanted.is_empty(), computes.next().await) {
            // Whoever is not found is read by itself, and then told what is wrong.
            let Ok(compute) = item else { continue };
            let name = compute.name.to_ascii_lowercase();
            if wanted.remove(&name) {
                found.insert(name, compute);
            }
        }
        found
    }

    /// What the service has answered needs no read.
    fn accepted(&self, token: &ResumeToken, name: ComputeName) -> Result<Resumed, Error> {
        let begun = Machine::resume(token.parts(), self.client().origins())?;
        Ok(match token.verb() {
            Verb::Create | Verb::Attach => {
                let (machine, step) = begun;
                let driver = Driver::new(
                    self.client().clone(),
                    name.to_string(),
                    Some(token.clone()),
                    (machine.made_here(), step),
                );
                // What is known of it without a read.
                let resource = ComputeResource::named(name.as_str(), Some(Aks::COMPUTE_TYPE));
                Resumed::Compute(ComputeTarget {
                    workspace: self.clone(),
                    name,
                    resource: Arc::new(resource),
                    pending: Some(Box::new(driver)),
                    requested: None,
                    deviations: Vec::new(),
                    kind: PhantomData,
                })
            }
            Verb::Update => Resumed::Update(update::operation(self, &name, token.clone(), begun)),
            Verb::Delete | Verb::Detach => {
                Resumed::Removal(remove::operation(self, &name, token.clone(), begun))
            }
            Verb::Deploy | Verb::RegenerateKey => return Err(of_a_service()),
        })
    }

    /// Finds out from the compute whether a request arrived.
    async fn look_up(&self, token: &ResumeToken, name: ComputeName) -> Result<Resumed, Error> {
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
                    _ => not_started,
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
            Verb::Deploy | Verb::RegenerateKey => return Err(of_a_service()),
        })
    }

    /// The compute that the token is about, if it is one of this workspace.
    fn owner_of(&self, token: &TokenParts) -> Result<ComputeName, Error> {
        let refuse = |why: &str| Error::new(ErrorKind::ResumeToken, why);
        if token.is_service() {
            return Err(of_a_service());
        }
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

fn of_a_service() -> Error {
    Error::new(ErrorKind::ResumeToken, "the token belongs to a web service")
        .with_remedy("resume it with AksWebservice::resume")
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
        Verb::Deploy | Verb::RegenerateKey => return false,
        Verb::Delete => (HttpVerb::Delete, Some("delete")),
        Verb::Detach => (HttpVerb::Delete, Some("detach")),
    };
    (token.method, action.as_deref()) == expected
}

//! Resuming the wait for an operation that another process began: one way for every token.

mod cluster;
mod extension;
#[cfg(feature = "services")]
mod service;

use crate::cluster::{ManagedCluster, NodePoolResource};
use crate::compute::{self, AksCompute, AnyCompute, ComputeResource, ComputeTarget, Found, Kind};
use crate::error::{Error, ErrorKind, Hidden, in_runtime};
use crate::extension::Extension;
use crate::names::ComputeName;
use crate::operation::waitable::sealed::{How, Sealed};
use crate::operation::{
    self, Driver, Machine, Operation, StatusClass, Step, Ticket, Waitable, is_deleting,
};
use crate::token::{HttpVerb, ResumeToken, TokenResource, Verb};
use crate::transport::TrustedOrigins;
use crate::transport::limits::{lists, many::RESUMED};
#[cfg(feature = "services")]
use crate::webservice::AksWebservice;
use crate::workspace::Workspace;
use azure_core::time::{Duration, OffsetDateTime};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use percent_encoding::percent_decode_str;
use std::collections::{HashMap, HashSet};
use tokio::time::{Instant, timeout_at};
use url::Url;

/// The result of [`Workspace::resume`].
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "there are few of them, and none is kept where it is not wanted"
)]
pub enum Resumed {
    /// A cluster that is created and then attached: the wait for it does both, and gives the compute. The create has
    /// ended already where the compute is being attached.
    Attachment(Operation<AksCompute>),
    /// The create of a cluster beside the workspace, running or done.
    Cluster(Operation<ManagedCluster>),
    /// A create, an attach or an update of a compute: it is pending on this handle, unless it has ended.
    /// [`wait_for_completion`](ComputeTarget::wait_for_completion) waits for it; `try_into()` makes a
    /// handle of one kind.
    Compute(AnyCompute),
    /// The install or an update of an extension, running or done.
    Extension(Operation<Extension>),
    /// A node pool of an AKS cluster that is scaled, or has been.
    NodePool(Operation<NodePoolResource>),
    /// The removal of a compute, a web service, a cluster or an extension, running or done.
    Removal(Operation<()>),
    /// A deployment or an update of a web service: it is pending on this handle, unless it has ended.
    /// [`wait_for_deployment`](AksWebservice::wait_for_deployment) waits for it.
    #[cfg(feature = "services")]
    Service(AksWebservice),
    /// The request did not arrive, as far as the resource shows: begin again.
    ///
    /// For an update of a compute, an extension or a service and a new key this is also the answer where the resource is in
    /// a final state, because it does not show whose change was the last. To send it again is harmless. For a cluster or an
    /// extension that `or_get` was to take, too: begin again, and it is taken.
    NotStarted {
        /// The verb that was requested.
        verb: Verb,
        /// The kind of the resource.
        resource: TokenResource,
        /// The name of the compute, the web service or the cluster; `{cluster}/{pool}` of a node pool,
        /// `{cluster}/{extension}` of an extension.
        name: String,
    },
}

impl Resumed {
    /// Returns what was requested; `None` for a resource on which nothing is pending.
    #[must_use]
    pub fn verb(&self) -> Option<Verb> {
        match self {
            Self::NotStarted { verb, .. } => Some(*verb),
            Self::Attachment(operation) => operation.verb(),
            Self::Cluster(operation) => operation.verb(),
            Self::Extension(operation) => operation.verb(),
            Self::NodePool(operation) => operation.verb(),
            Self::Removal(operation) => operation.verb(),
            other => other.resume_token().map(ResumeToken::verb),
        }
    }

    /// Returns the name of the compute, the web service or the cluster; `{cluster}/{pool}` for a node pool,
    /// `{cluster}/{extension}` for an extension. For a cluster that is created and then attached it is first that of the
    /// cluster, then that of the compute.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Attachment(operation) => operation.target(),
            Self::Cluster(operation) => operation.target(),
            Self::Compute(compute) => compute.name().as_str(),
            Self::Extension(operation) => operation.target(),
            Self::NodePool(operation) => operation.target(),
            Self::NotStarted { name, .. } => name,
            Self::Removal(operation) => operation.target(),
            #[cfg(feature = "services")]
            Self::Service(service) => service.name().as_str(),
        }
    }

    /// Returns the token with which the wait is resumed again; `None` where nothing runs.
    #[must_use]
    pub fn resume_token(&self) -> Option<&ResumeToken> {
        match self {
            Self::Attachment(operation) => operation.resume_token(),
            Self::Cluster(operation) => operation.resume_token(),
            Self::Compute(compute) => compute.resume_token(),
            Self::Extension(operation) => operation.resume_token(),
            Self::NodePool(operation) => operation.resume_token(),
            Self::NotStarted { .. } => None,
            Self::Removal(operation) => operation.resume_token(),
            #[cfg(feature = "services")]
            Self::Service(service) => service.resume_token(),
        }
    }

    fn not_started(token: &ResumeToken) -> Self {
        Self::NotStarted {
            verb: token.verb(),
            resource: token.resource().clone(),
            name: token.target().to_owned(),
        }
    }
}

impl<K: Kind> From<ComputeTarget<K>> for Resumed {
    fn from(compute: ComputeTarget<K>) -> Self {
        Self::Compute(compute.widen())
    }
}

#[cfg(feature = "services")]
impl From<AksWebservice> for Resumed {
    fn from(service: AksWebservice) -> Self {
        Self::Service(service)
    }
}

impl From<Operation<()>> for Resumed {
    fn from(removal: Operation<()>) -> Self {
        Self::Removal(removal)
    }
}

#[allow(private_interfaces, reason = "nobody outside can name the trait")]
impl Sealed for Resumed {
    fn driver(&mut self) -> Option<&mut Driver> {
        match self {
            Self::Attachment(operation) => operation.driver(),
            Self::Cluster(operation) => operation.driver(),
            Self::Compute(compute) => compute.driver(),
            Self::Extension(operation) => operation.driver(),
            Self::NodePool(operation) => operation.driver(),
            Self::NotStarted { .. } => None,
            Self::Removal(operation) => operation.driver(),
            #[cfg(feature = "services")]
            Self::Service(service) => service.driver(),
        }
    }
}

impl Waitable for Resumed {
    type Output = ();

    fn end(&mut self, how: How) -> BoxFuture<'_, Option<Result<(), Error>>> {
        match self {
            Self::Attachment(operation) => without_value(operation.end(how)),
            Self::Cluster(operation) => without_value(operation.end(how)),
            Self::Compute(compute) => compute.end(how),
            Self::Extension(operation) => without_value(operation.end(how)),
            Self::NodePool(operation) => without_value(operation.end(how)),
            Self::NotStarted {
                verb,
                resource,
                name,
            } => {
                let error = Error::new(
                    ErrorKind::NotStarted,
                    format!("{verb} {resource} {name:?}: the request did not arrive; begin again"),
                );
                async move { Some(Err(error)) }.boxed()
            }
            Self::Removal(operation) => operation.end(how),
            #[cfg(feature = "services")]
            Self::Service(service) => service.end(how),
        }
    }
}

fn without_value<'a, T: Send + 'a>(
    end: BoxFuture<'a, Option<Result<T, Error>>>,
) -> BoxFuture<'a, Option<Result<(), Error>>> {
    end.map(|ended| Some(ended?.map(drop))).boxed()
}

/// The clocks of the service and of this machine may differ by this much.
const SKEW: Duration = Duration::minutes(5);

/// Resuming.
impl Workspace {
    /// Resumes the wait for an operation from its token, in this process or another. Takes every token:
    /// of a compute of any kind, its update or removal, of an AKS cluster and its node pools, of an extension, and of a web
    /// service.
    ///
    /// Where the service's answer to the first request was seen before the token was stored, this does no I/O for a
    /// compute, a cluster, a node pool and an extension. For the token of a prepared verb the resource is read, to find out whether
    /// the request arrived. A request that is still on its way cannot be seen: after a crash, give the service a minute
    /// before `NotStarted` counts.
    ///
    /// The operation of a create is not mistaken for another one: where a compute was deleted and created
    /// again since, which its `createdOn` shows, the wait ends with an error.
    ///
    /// Sends: a GET of the compute, the cluster, the node pool or the extension, for the token of a prepared verb. For a web service
    /// GETs of the workspace and of its hosts (once per workspace), and a GET of the service, for the token of a
    /// prepared verb.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ResumeToken`] if the token belongs to another endpoint or workspace, or needs the
    /// feature `services` and this library was built without it; otherwise those of reading the resource.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn resume(&self, token: &ResumeToken) -> Result<Resumed, Error> {
        match token.resource() {
            TokenResource::Service => Box::pin(self.resume_service(token)).await,
            TokenResource::Cluster | TokenResource::NodePool => {
                Box::pin(self.resume_cluster(token)).await
            }
            TokenResource::Extension => Box::pin(self.resume_extension(token)).await,
            TokenResource::Compute(kind) => {
                let name = self.compute_of(token)?;
                match token.parts().accepted {
                    true => self.accepted(token, name, kind),
                    false => self.look_up(token, name).await,
                }
            }
        }
    }

    /// [`resume`](Self::resume) for many tokens, without a read for each: computes whose tokens are of
    /// prepared verbs are looked up in the list of computes. What the list does not show is read by itself,
    /// because a list may lag; so is everything if the list cannot be read.
    ///
    /// The results are in the order of the tokens; [`wait_all`](crate::wait_all) waits for all of them.
    ///
    /// Sends: GETs of the list of computes, if two tokens or more are of prepared verbs on computes; a GET for each
    /// compute that it does not show. For each web service, cluster, node pool and extension what [`resume`](Self::resume) sends.
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
    ///     let prepared = ComputeTarget::create(&workspace, name, config.clone()).prepare()?;
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
    #[must_use]
    pub async fn resume_all<'a>(
        &self,
        tokens: impl IntoIterator<Item = &'a ResumeToken>,
    ) -> Vec<Result<Resumed, Error>> {
        let tokens: Vec<&ResumeToken> = tokens.into_iter().collect();
        let prepared = |token: &&&ResumeToken| !token.parts().accepted;
        let wanted: HashSet<String> = tokens
            .iter()
            .filter(prepared)
            .filter_map(|token| Some(lower(&self.compute_of(token).ok()?)))
            .collect();
        let listed = match wanted.len() {
            0 | 1 => HashMap::new(),
            _ => self.listed(wanted).await,
        };
        // Made before they are awaited: a closure in the stream would keep the whole from being `Send`
        // for every lifetime.
        let each: Vec<_> = tokens
            .into_iter()
            .map(|token| self.resume_listed(token, &listed))
            .collect();
        stream::iter(each).buffered(RESUMED).collect().await
    }

    async fn resume_listed(
        &self,
        token: &ResumeToken,
        listed: &HashMap<String, ComputeResource>,
    ) -> Result<Resumed, Error> {
        let is_compute = matches!(token.resource(), TokenResource::Compute(_));
        if is_compute && !token.parts().accepted {
            let name = self.compute_of(token)?;
            if let Some(resource) = listed.get(&lower(&name)) {
                let found = Found::Resource(Box::new(resource.clone()));
                return self.probed(token, name, found);
            }
        }
        self.resume(token).await
    }

    /// The computes of these names, as far as the list shows them.
    async fn listed(&self, mut wanted: HashSet<String>) -> HashMap<String, ComputeResource> {
        let mut found = HashMap::new();
        let mut computes = self.computes();
        // Otherwise the read of each token says what is missing.
        if in_runtime().is_err() {
            return found;
        }
        let deadline = Instant::now() + lists::RESUMED;
        while !wanted.is_empty()
            && let Ok(Some(item)) = timeout_at(deadline, computes.next()).await
        {
            // A compute that is not found is read by itself, and that read gives its error.
            let Ok(compute) = item else { continue };
            let name = lower(compute.name());
            if wanted.remove(&name) {
                found.insert(name, compute.resource().clone());
            }
        }
        found
    }

    /// An operation that the service has accepted needs no read.
    fn accepted(
        &self,
        token: &ResumeToken,
        name: ComputeName,
        kind: &str,
    ) -> Result<Resumed, Error> {
        let (machine, step) = Machine::resume(token.parts(), self.client().origins())?;
        let ticket = Ticket::of(token.clone());
        let (machine, removes) = match token.verb() {
            Verb::Create | Verb::Attach => (machine.made_here(), false),
            Verb::Delete | Verb::Detach => (machine, true),
            _ => (machine, false),
        };
        if removes {
            return Ok(self.removal(ticket, (machine, step)));
        }
        // What is known of it without a read.
        let resource = ComputeResource::named(name.as_str(), Some(kind));
        let mut compute = AnyCompute::found(self.clone(), name, resource)?;
        compute.begin(ticket, (machine, step));
        Ok(Resumed::Compute(compute))
    }

    fn removal(&self, ticket: Ticket, begun: (Machine, Step)) -> Resumed {
        let client = self.client().clone();
        let driver = Driver::of(client, &compute::SUBJECT, ticket, begun);
        Resumed::Removal(Operation::removal(driver))
    }

    /// Finds out from the compute whether a request arrived.
    async fn look_up(&self, token: &ResumeToken, name: ComputeName) -> Result<Resumed, Error> {
        let found = compute::read(self, &name, &Hidden::default()).await;
        let found = found.map_err(|error| {
            error.with_context(|| format!("resume {} of {}", token.verb(), compute::named(&name)))
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
        let not_started = Resumed::not_started(token);
        let ticket = Ticket::of(token.clone());
        let origins = self.client().origins();
        let resource = match found {
            Found::Resource(resource) => *resource,
            Found::Nothing(_) => {
                return Ok(match verb {
                    Verb::Delete | Verb::Detach => {
                        let gone = operation::done(self.client(), token)?;
                        self.removal(ticket, gone)
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
            Machine::resume(&parts, origins)
        };
        let started = OffsetDateTime::from(token.started_at());
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
                let mut compute = AnyCompute::found(self.clone(), name, resource)?;
                if running {
                    compute.follow(Some(ticket));
                }
                Resumed::Compute(compute)
            }
            // Resume matches only when no other explanation fits: the compute is updating, and was changed
            // after the token was made. In a final state it does not show whose update was the last.
            Verb::Update => {
                let created = moment(properties.created_on.as_deref());
                let modified = moment(properties.modified_on.as_deref());
                let is = |word: &str| state.trim().eq_ignore_ascii_case(word);
                // A PUT over a compute makes it `Creating` again, and the time of its creation stays (recorded).
                let again = created.is_some() && created < modified;
                let ours = (is("Updating") || is("Creating") && again)
                    && modified.is_some_and(|modified| modified > started - SKEW);
                if !ours {
                    return Ok(not_started);
                }
                let begun = begun()?;
                let mut compute = AnyCompute::found(self.clone(), name, resource)?;
                compute.begin(ticket, begun);
                Resumed::Compute(compute)
            }
            // Somebody else's create or update may run: that is not a removal.
            Verb::Delete | Verb::Detach if is_deleting(state) => self.removal(ticket, begun()?),
            _ => not_started,
        })
    }

    /// The compute that the token is about, if it is one of this workspace.
    fn compute_of(&self, token: &ResumeToken) -> Result<ComputeName, Error> {
        let TokenResource::Compute(_) = token.resource() else {
            return Err(refused("it does not belong to a compute"));
        };
        let parts = token.parts();
        let url = own_url(
            token,
            self,
            self.client().origins(),
            &self.url_of(&["computes"]),
        )?;
        let action = url
            .query_pairs()
            .find(|(name, _)| name.eq_ignore_ascii_case("underlyingResourceAction"))
            .map(|(_, action)| action.to_ascii_lowercase());
        // It must not be possible to wait for a delete in the belief that it was a detach.
        let expected = match parts.op {
            Verb::Attach | Verb::Create | Verb::Update => Some((HttpVerb::Put, None)),
            Verb::Delete => Some((HttpVerb::Delete, Some("delete"))),
            Verb::Detach => Some((HttpVerb::Delete, Some("detach"))),
            Verb::Deploy | Verb::Install | Verb::RegenerateKey | Verb::Scale => None,
        };
        if expected != Some((parts.method, action.as_deref())) {
            return Err(refused("its verb contradicts its request"));
        }
        compute::existing(token.target()).map_err(|_| refused("its name is not valid"))
    }

    #[cfg(not(feature = "services"))]
    async fn resume_service(&self, _: &ResumeToken) -> Result<Resumed, Error> {
        Err(refused("it belongs to a web service")
            .with_remedy("build azureml-aks with the feature `services`"))
    }
}

/// The URL of a token's first request, if it is trusted and names the resource of the token in this
/// collection.
fn own_url(
    token: &ResumeToken,
    workspace: &Workspace,
    origins: &TrustedOrigins,
    collection: &Url,
) -> Result<Url, Error> {
    let url = trusted_url(token, origins)?;
    let (folder, name) = url.path().rsplit_once('/').unwrap_or_default();
    if !folder.eq_ignore_ascii_case(collection.path()) {
        return Err(refused("it belongs to another workspace"));
    }
    if !is_of(token, workspace) {
        return Err(refused("its workspace contradicts its request"));
    }
    // Names of another year may need percent-encoding; a plus sign is only itself in a path.
    let name = name.replace('+', "%2B");
    let name = url::form_urlencoded::parse(name.as_bytes()).next();
    if name.is_none_or(|(name, _)| !name.eq_ignore_ascii_case(token.target())) {
        return Err(refused("its name contradicts its request"));
    }
    Ok(url)
}

/// The URL of a token's first request, if it is trusted.
fn trusted_url(token: &ResumeToken, origins: &TrustedOrigins) -> Result<Url, Error> {
    let parts = token.parts();
    let url = Url::parse(&parts.initial_uri).map_err(|_| refused("its URL is malformed"))?;
    origins
        .check(&url)
        .map_err(|_| refused("it belongs to another endpoint"))?;
    if parts.endpoint != url.origin().ascii_serialization() {
        return Err(refused("its endpoint contradicts its request"));
    }
    Ok(url)
}

/// Returns the path of a URL with its names as they were given: a URL encodes some characters of them.
fn plain_path(url: &Url) -> Result<String, Error> {
    let path = percent_decode_str(url.path()).decode_utf8();
    let path = path.map_err(|_| refused("its URL is malformed"))?;
    Ok(path.into_owned())
}

/// Returns whether a token names this workspace.
fn is_of(token: &ResumeToken, workspace: &Workspace) -> bool {
    let (claimed, own) = (token.workspace().to_string(), workspace.id().to_string());
    claimed.eq_ignore_ascii_case(&own)
}

fn refused(why: &str) -> Error {
    Error::new(
        ErrorKind::ResumeToken,
        format!("this token cannot be resumed: {why}"),
    )
}

fn moment(text: Option<&str>) -> Option<OffsetDateTime> {
    text.and_then(|text| azure_core::time::parse_rfc3339(text).ok())
}

fn lower(name: &ComputeName) -> String {
    name.as_str().to_ascii_lowercase()
}

#[cfg(all(test, not(feature = "services")))]
mod tests {
    use super::*;
    use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
    use azure_core::http::{AsyncRawResponse, HttpClient, Request, Transport};
    use std::sync::Arc;

    /// Fails the test when anything is asked.
    #[derive(Debug)]
    struct Silent;

    #[async_trait::async_trait]
    impl HttpClient for Silent {
        async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
            panic!("{} was sent", request.method())
        }
    }

    #[async_trait::async_trait]
    impl TokenCredential for Silent {
        async fn get_token(
            &self,
            _scopes: &[&str],
            _options: Option<TokenRequestOptions<'_>>,
        ) -> azure_core::Result<AccessToken> {
            panic!("an access token was asked for")
        }
    }

    #[tokio::test]
    async fn token_of_a_web_service_is_refused_with_the_name_of_the_feature() {
        let workspace = Workspace::builder("s", "g", "w")
            .credential(Arc::new(Silent))
            .transport(Transport::new(Arc::new(Silent)))
            .build()
            .unwrap();
        for (verb, method) in [
            (Verb::Deploy, HttpVerb::Post),
            (Verb::Update, HttpVerb::Patch),
            (Verb::Delete, HttpVerb::Delete),
            (Verb::RegenerateKey, HttpVerb::Post),
        ] {
            let url = "https://management.azure.com/services/s-1";
            let of = (verb, method);
            let token = ResumeToken::of_request(TokenResource::Service, of, url, None, "id");
            // As another process reads it, which may have the feature or not.
            let token = ResumeToken::parse(&token.expose()).unwrap();
            let all = workspace.resume_all([&token, &token]).await;
            for result in all.into_iter().chain([workspace.resume(&token).await]) {
                let error = result.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ResumeToken);
                assert!(error.remedy().is_some(), "{error}");
            }
        }
    }
}

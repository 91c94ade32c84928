//! The routes of the emulator in one list, and what each request goes through.
//!
//! Routing is done by hand, because ARM compares every part of a path without case.

use crate::facts::arm;

use super::artifacts::{self, ORIGINS, blobs};
use super::call::Call;
use super::clusters::{self as aks, answer_with as clusters_answer};
use super::computes::{self, operations, put};
use super::error::{ArmError, Surroundings, UNSUPPORTED};
use super::extensions;
use super::faults::Kind;
use super::http::{Answer, Incoming, Manner, is_blob_path, is_scoring_path};
use super::operations::SIGNATURE;
use super::services::{list as service_list, scoring, status, verbs as services};
use super::state::{Config, Shared, State};
use super::{
    access, admin, assets, connected, environments, groups, kubernetes, locations, models, network,
    providers, regions, versions, workspace,
};

pub(crate) type Reply = Result<Answer, ArmError>;

/// Method, path, the query parameters that are understood beside `api-version`, and what serves it.
///
/// In a path `{ws}` is the path of the workspace, `{*}` the rest of the path, which may be empty, and
/// any other name in braces one segment.
type Route = (
    &'static str,
    &'static str,
    &'static [&'static str],
    fn(Call<'_>) -> Reply,
);

const WORKSPACE: &str = "subscriptions/{subscription}/resourceGroups/{group}/providers/\
                         Microsoft.MachineLearningServices/workspaces/{workspace}";

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    // The emulator's own.
    ("GET", "/_emulator/health", &[], admin::health),
    ("POST", "/_emulator/faults", &[], admin::inject),
    ("DELETE", "/_emulator/faults", &[], admin::clear_faults),
    ("GET", "/_emulator/journal", &[], admin::journal),
    ("DELETE", "/_emulator/journal", &[], admin::clear_journal),
    ("POST", "/_emulator/advance", &[], admin::advance),
    ("POST", "/_emulator/finish", &[], admin::finish),
    ("PUT", "/_emulator/swagger/{service}", &[], admin::set_swagger),
    ("PUT", "/_emulator/log/{service}", &[], admin::set_log),
    // The workspace, its region and its computes. The service's own host serves reads of computes
    // under a prefix.
    ("GET", "/discovery", &[], workspace::discovery),
    ("GET", "/{ws}", &[], workspace::get),
    ("GET", "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/workspaces", &[], workspace::list),
    ("GET", "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/vmSizes", &[], workspace::vm_sizes),
    ("GET", "/{ws}/computes", &["$skiptoken"], computes::list),
    ("GET", "/{ws}/computes/{compute}", &[], computes::get),
    ("GET", "/rp/workspaces/{ws}/computes", &["$skiptoken"], computes::list),
    ("GET", "/rp/workspaces/{ws}/computes/{compute}", &[], computes::get),
    ("PUT", "/{ws}/computes/{compute}", &[], put::serve),
    ("PATCH", "/{ws}/computes/{compute}", &[], put::patch),
    ("DELETE", "/{ws}/computes/{compute}", &["underlyingResourceAction"], computes::delete),
    ("POST", "/{ws}/computes/{compute}/listKeys", &[], computes::list_keys),
    ("GET", "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/computeOperationsStatus/{operation}", operations::PARAMETERS, operations::status),
    // The container service.
    ("GET", "/subscriptions/{of}/providers/Microsoft.ContainerService/managedClusters", &["$skiptoken"], aks::list),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.ContainerService/managedClusters", &["$skiptoken"], aks::list),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.ContainerService/managedClusters/{cluster}", &[], aks::get),
    ("PUT", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.ContainerService/managedClusters/{cluster}", &[], aks::put::serve),
    ("DELETE", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.ContainerService/managedClusters/{cluster}", &[], aks::put::delete),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.ContainerService/managedClusters/{cluster}/trustedAccessRoleBindings", &["$skiptoken"], aks::trusted::list),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.ContainerService/managedClusters/{cluster}/agentPools", &["$skiptoken"], aks::pools::list),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.ContainerService/managedClusters/{cluster}/agentPools/{pool}", &[], aks::pools::get),
    ("PUT", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.ContainerService/managedClusters/{cluster}/agentPools/{pool}", &[], aks::pools::put),
    ("DELETE", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.ContainerService/managedClusters/{cluster}/agentPools/{pool}", &[], aks::pools::delete),
    ("GET", "/subscriptions/{of}/providers/Microsoft.ContainerService/locations/{location}/operations/{operation}", SIGNATURE, aks::operations::status),
    ("GET", "/subscriptions/{of}/providers/Microsoft.ContainerService/locations/{location}/operationresults/{operation}", SIGNATURE, aks::operations::result),
    ("POST", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.ContainerService/managedClusters/{cluster}/listClusterUserCredential", &[], aks::user_credential),
    ("POST", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.ContainerService/managedClusters/{cluster}/listClusterAdminCredential", &[], aks::admin_credential),
    ("GET", "/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/{location}/kubernetesVersions", &[], kubernetes::versions),
    ("GET", "/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/{location}/orchestrators", &["resource-type"], kubernetes::orchestrators),
    // Arc-connected clusters, and the extensions of clusters.
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.Kubernetes/connectedClusters/{cluster}", &[], connected::get),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/{provider}/{type}/{cluster}/providers/Microsoft.KubernetesConfiguration/extensions", &[], extensions::list),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/{provider}/{type}/{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/{extension}", &[], extensions::get),
    ("PUT", "/subscriptions/{of}/resourceGroups/{in}/providers/{provider}/{type}/{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/{extension}", &[], extensions::put::serve),
    ("PATCH", "/subscriptions/{of}/resourceGroups/{in}/providers/{provider}/{type}/{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/{extension}", &[], extensions::put::patch),
    ("DELETE", "/subscriptions/{of}/resourceGroups/{in}/providers/{provider}/{type}/{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/{extension}", &["forceDelete"], extensions::delete),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/{provider}/{type}/{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/{extension}/operations/{operation}", SIGNATURE, extensions::operations::status),
    // The permissions of the caller, and the denials of policies.
    ("GET", "/{ws}/providers/Microsoft.Authorization/permissions", &[], access::permissions),
    ("GET", "/subscriptions/{subscription}/providers/Microsoft.Authorization/permissions", &[], access::permissions),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.Authorization/permissions", &[], access::permissions),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/{provider}/{type}/{name}/providers/Microsoft.Authorization/permissions", &[], access::permissions),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/{provider}/{type}/{name}/{below}/{part}/providers/Microsoft.Authorization/permissions", &[], access::permissions),
    ("POST", "/subscriptions/{subscription}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions", &[], access::check_policies),
    // Regions, resource groups and networks.
    ("GET", "/subscriptions/{subscription}/locations", &[], locations::list),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}", &[], groups::get),
    ("GET", "/subscriptions/{of}/providers/Microsoft.Network/virtualNetworks", &["$skiptoken"], network::list),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.Network/virtualNetworks", &["$skiptoken"], network::list),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.Network/virtualNetworks/{network}", &[], network::get),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.Network/virtualNetworks/{network}/subnets", &["$skiptoken"], network::list_subnets),
    ("GET", "/subscriptions/{of}/resourceGroups/{in}/providers/Microsoft.Network/virtualNetworks/{network}/subnets/{subnet}", &[], network::get_subnet),
    ("GET", "/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}/serviceTags", &[], network::service_tags),
    ("GET", "/subscriptions/{of}/providers/{provider}", &[], providers::get),
    // Virtual machines.
    ("GET", "/subscriptions/{subscription}/providers/Microsoft.Compute/skus", &["$filter"], regions::skus),
    ("GET", "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/usages", &[], regions::usages),
    // Artifacts, in the spelling of `azureml-core` and in that of the published description.
    ("POST", "/artifact/v2.0/{ws}/artifacts/batch/metadata/{origin}/{container}", &[], artifacts::create_empty),
    ("GET", "/artifact/v2.0/{ws}/artifacts/metadata/{origin}/{container}/{*}", &[], artifacts::metadata),
    ("GET", "/artifact/v2.0/{ws}/artifacts/contentinfo/{origin}/{container}/{*}", &[], artifacts::to_read),
    ("GET", "/artifact/v2.0/{ws}/artifacts/write/{origin}/{container}/{*}", &[], artifacts::to_write),
    ("GET", "/artifact/v2.0/{ws}/artifacts/prefix/contentinfo/{origin}/{container}/{*}", &["continuationToken"], artifacts::list_to_read),
    ("POST", "/artifact/v2.0/{ws}/artifacts/{origin}/{container}/batch/metadata", &[], artifacts::create_empty),
    ("GET", "/artifact/v2.0/{ws}/artifacts/{origin}/{container}/metadata", &["path"], artifacts::metadata),
    ("GET", "/artifact/v2.0/{ws}/artifacts/{origin}/{container}/contentinfo", &["path"], artifacts::to_read),
    ("GET", "/artifact/v2.0/{ws}/artifacts/{origin}/{container}/write", &["path"], artifacts::to_write),
    ("GET", "/artifact/v2.0/{ws}/artifacts/{origin}/{container}/prefix/contentinfo", &["path", "continuationToken"], artifacts::list_to_read),
    ("GET", "/artifact/v2.0/{ws}/artifacts/{origin}/{container}/{*}", &["path", "continuationToken"], artifacts::list),
    ("PUT", "/azureml/{*}", &[], blobs::serve),
    ("GET", "/azureml/{*}", &[], blobs::serve),
    ("HEAD", "/azureml/{*}", &[], blobs::serve),
    // Assets, models, environments.
    ("POST", "/modelmanagement/v1.0/{ws}/assets", &[], assets::create),
    ("GET", "/modelmanagement/v1.0/{ws}/assets", assets::FILTERS, assets::list),
    ("GET", "/modelmanagement/v1.0/{ws}/assets/{asset}", &[], assets::get),
    ("DELETE", "/modelmanagement/v1.0/{ws}/assets/{asset}", &[], assets::delete),
    ("POST", "/modelmanagement/v1.0/{ws}/models", &[], models::register),
    ("GET", "/modelmanagement/v1.0/{ws}/models", models::FILTERS, models::list),
    ("GET", "/modelmanagement/v1.0/{ws}/models/{model}", &[], models::get),
    ("PATCH", "/modelmanagement/v1.0/{ws}/models/{model}", &[], models::change),
    ("DELETE", "/modelmanagement/v1.0/{ws}/models/{model}", &[], models::delete),
    ("GET", "/environment/v1.0/{ws}/environments", &["continuation"], environments::list),
    ("GET", "/environment/v1.0/{ws}/environments/", &["continuation"], environments::list),
    ("PUT", "/environment/v1.0/{ws}/environments/{name}", &[], environments::register),
    ("GET", "/environment/v1.0/{ws}/environments/{name}", &[], environments::latest),
    ("PUT", "/environment/v1.0/{ws}/environments/{name}/versions/{version}", &[], environments::register),
    ("GET", "/environment/v1.0/{ws}/environments/{name}/versions/{version}", &[], environments::version),
    ("PUT", "/environment/v1.0/{ws}/environments/{name}/versions/{version}/metadata", &[], environments::label),
    ("GET", "/environment/v1.0/{ws}/environments/{name}/labels/{label}", &[], environments::labelled),
    // Web services, their operations, and the router before their containers.
    ("POST", "/modelmanagement/v1.0/{ws}/services/validate", &[], services::validate),
    ("POST", "/modelmanagement/v1.0/{ws}/services/validate/resource", &[], services::validate_resource),
    ("POST", "/modelmanagement/v1.0/{ws}/services/validate/name/{service}", &[], services::validate_name),
    ("POST", "/modelmanagement/v1.0/{ws}/services", &[], services::create),
    ("GET", "/modelmanagement/v1.0/{ws}/services", service_list::FILTERS, service_list::list),
    ("GET", "/modelmanagement/v1.0/{ws}/services/{service}", &["expand"], services::get),
    ("PATCH", "/modelmanagement/v1.0/{ws}/services/{service}", &[], services::update),
    ("DELETE", "/modelmanagement/v1.0/{ws}/services/{service}", &[], services::delete),
    ("POST", "/modelmanagement/v1.0/{ws}/services/{service}/listkeys", &[], services::list_keys),
    ("POST", "/modelmanagement/v1.0/{ws}/services/{service}/regenerateKeys", &[], services::regenerate),
    ("POST", "/modelmanagement/v1.0/{ws}/services/{service}/token", &[], services::token),
    ("GET", "/modelmanagement/v1.0/{ws}/services/{service}/logs", &["tail", "init"], services::logs),
    ("GET", "/modelmanagement/v1.0/{ws}/operations/{operation}", &["offset"], status::status),
    ("POST", "/api/v1/service/{service}/score", &[], scoring::score),
    ("GET", "/api/v1/service/{service}/swagger.json", &[], scoring::swagger),
];

/// The segments of a path where its route has braces.
pub(crate) type Names = Vec<(&'static str, String)>;

/// The names of a path that follows this template.
fn names(template: &'static str, segments: &[String]) -> Option<Names> {
    let parts = template.split('/').skip(1);
    let parts = parts.flat_map(|part| if part == "{ws}" { WORKSPACE } else { part }.split('/'));
    let mut rest = segments;
    let mut found = Names::new();
    for part in parts {
        let name = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'));
        if name == Some("*") {
            found.push(("*", rest.join("/")));
            return Some(found);
        }
        let (segment, after) = rest.split_first()?;
        rest = after;
        let fits = match name {
            None => part.eq_ignore_ascii_case(segment),
            Some("origin") => ORIGINS.contains(&segment.as_str()),
            Some(_) => !segment.is_empty(),
        };
        match name {
            _ if !fits => return None,
            Some(name) => found.push((name, segment.clone())),
            None => {}
        }
    }
    rest.is_empty().then_some(found)
}

/// Serves one request, from the journal entry to the last header.
pub(crate) async fn serve(shared: &Shared, request: &Incoming) -> Answer {
    let (config, plane) = (&shared.config, Plane::of(&request.path));
    let (ticket, answer) = {
        let mut state = shared.state();
        if plane == Plane::Admin || request.too_large {
            // Neither journalled nor subject to faults.
            let answer = route(config, &mut state, request, plane);
            return answer
                .unwrap_or_else(|error| plane.refusal(config, &mut state, request, &error));
        }
        let ticket = state.journal.push(request);
        let answer = match state.fault(request, Kind::acts_before) {
            Some(fault) => fault.answer(|error| plane.refusal(config, &mut state, request, &error)),
            None => {
                let answer = route(config, &mut state, request, plane)
                    .unwrap_or_else(|error| plane.refusal(config, &mut state, request, &error));
                plane.headed(request, answer)
            }
        };
        (ticket, answer)
    };
    // Outside the lock: what scores may take its time, or ask the emulator itself.
    let mut answer = match answer.later {
        Some(answer) => answer.await,
        None => answer,
    };
    let mut state = shared.state();
    match state.fault(request, Kind::acts_after) {
        Some(Kind::ResponseLost { .. }) => answer.manner = Manner::Severed,
        Some(_) if answer.manner == Manner::Whole => answer.manner = Manner::Truncated,
        _ => {}
    }
    for header in ["x-ms-request-id", "x-ms-correlation-request-id"] {
        let id = state.uuid();
        if !answer.has(header) {
            answer = answer.with(header, id);
        }
    }
    if answer.status != 204 && !answer.has("Content-Length") {
        let length = answer.body.len().to_string();
        answer = answer.with("Content-Length", length);
    }
    tracing::debug!(
        method = %request.method, path = %request.path, status = answer.status, "emulator answered"
    );
    let status = (answer.manner != Manner::Severed).then_some(answer.status);
    state.journal.answered(ticket, status);
    answer
}

/// Whether a request is for this provider of Resource Manager.
fn is_of(request: &Incoming, provider: &str) -> bool {
    let mut segments = request.path.split('/');
    segments.any(|segment| segment.eq_ignore_ascii_case(provider))
}

/// The largest body that is read as a blob, as a block of one, or for scoring.
const LARGE: usize = 100 * 1024 * 1024;

/// The largest body that is read of any other request.
const SMALL: usize = 4 * 1024 * 1024;

/// The largest body that is read of this request, of which only the body is not known yet. A large one is
/// read only where a signature or a credential allows it, so that nobody else can fill the memory.
pub(crate) fn limit(shared: &Shared, request: &Incoming) -> usize {
    let plane = Plane::of(&request.path);
    if matches!(plane, Plane::Blobs | Plane::Scoring)
        && may_be_large(&shared.config, &shared.state(), request, plane)
    {
        LARGE
    } else {
        SMALL
    }
}

/// Whether a blob may be written or a service be called with what the head of a request holds.
fn may_be_large(config: &Config, state: &State, request: &Incoming, plane: Plane) -> bool {
    let Some(segments) = request.segments() else {
        return false;
    };
    match plane {
        Plane::Blobs => blobs::may_write(config, state, request, &segments[1..].join("/")),
        Plane::Scoring => segments
            .get(3)
            .is_some_and(|name| scoring::admits(state, request, name)),
        _ => false,
    }
}

/// The service that answers: each has its own form of errors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plane {
    Admin,
    Discovery,
    Arm,
    /// Artifacts and environments.
    Data,
    ModelManagement,
    Blobs,
    Scoring,
}

impl Plane {
    fn of(path: &str) -> Self {
        let first = path.split('/').nth(1).unwrap_or_default();
        match first.to_ascii_lowercase().as_str() {
            "_emulator" => Self::Admin,
            "discovery" => Self::Discovery,
            "artifact" | "environment" => Self::Data,
            "modelmanagement" => Self::ModelManagement,
            _ if is_blob_path(path) => Self::Blobs,
            _ if is_scoring_path(path) => Self::Scoring,
            _ => Self::Arm,
        }
    }

    fn refusal(
        self,
        config: &Config,
        state: &mut State,
        request: &Incoming,
        error: &ArmError,
    ) -> Answer {
        match self {
            Self::Arm if error.front_door => {
                Answer::json(error.status, &error.body()).with("x-ms-failure-cause", "gateway")
            }
            Self::Arm if is_of(request, arm::KUBERNETES_CONFIGURATION_PROVIDER) => {
                Answer::json(error.status, &error.body())
            }
            Self::Arm if error.code != UNSUPPORTED && is_of(request, arm::AKS_PROVIDER) => {
                clusters_answer(error.status, &error.of_clusters())
            }
            Self::Arm if error.code != UNSUPPORTED && is_of(request, arm::ML_PROVIDER) => {
                let surroundings = Surroundings {
                    id: state.uuid(),
                    region: config.location.clone(),
                    time: state.time.stamp(state.time.now()),
                    by_front_end: config.front_end_refusals,
                };
                Answer::json(error.status, &error.of_computes(&surroundings))
                    .with("x-ms-response-type", "error")
            }
            // The status is in the body too, where `azureml-core` looks for it.
            Self::ModelManagement => {
                let id = match request.header("x-ms-client-request-id") {
                    Some(id) => id.to_owned(),
                    None => state.uuid(),
                };
                Answer::json(error.status, &error.model_management(&id))
            }
            // The router before the containers answers in plain text.
            Self::Scoring => Answer::raw(
                error.status,
                "text/plain; charset=utf-8",
                error.message.clone(),
            ),
            Self::Blobs => blobs::refusal(request, error),
            Self::Admin | Self::Discovery | Self::Arm | Self::Data => {
                Answer::json(error.status, &error.body())
            }
        }
    }
}

impl Plane {
    /// With the headers that Resource Manager adds to what a service answers.
    fn headed(self, request: &Incoming, answer: Answer) -> Answer {
        if self != Self::Arm || answer.has("x-ms-failure-cause") {
            return answer;
        }
        // The providers of clusters and of extensions have none of their own.
        let plain = ["x-ms-response-type", "Server", "api-supported-versions"];
        let answer = match plain.iter().any(|header| answer.has(header)) {
            true => answer,
            false => answer.with("x-ms-response-type", "standard"),
        };
        let (what, left, global) = match request.method.as_str() {
            "GET" => ("reads", "249", "3749"),
            "DELETE" => ("deletes", "199", "2999"),
            _ => ("writes", "199", "2999"),
        };
        let name = |of: &str| format!("x-ms-ratelimit-remaining-subscription-{of}{what}");
        answer.with(&name(""), left).with(&name("global-"), global)
    }
}

fn route(config: &Config, state: &mut State, request: &Incoming, plane: Plane) -> Reply {
    if plane == Plane::Admin {
        admin::check_sender(request)?;
    }
    let large = matches!(plane, Plane::Blobs | Plane::Scoring);
    // A large body that is not allowed the route refuses for that reason.
    if request.too_large && (!large || may_be_large(config, state, request, plane)) {
        let code = match plane {
            Plane::Blobs => "RequestBodyTooLarge",
            _ => "RequestEntityTooLarge",
        };
        let limit = if large { LARGE } else { SMALL };
        let message = format!("The body is too large: the emulator takes {limit} bytes here.");
        return Err(ArmError::new(413, code, message));
    }
    let segments = request
        .segments()
        .ok_or_else(|| ArmError::bad_request("The path is not valid UTF-8."))?;
    let mut known = ROUTES
        .iter()
        .filter_map(|route| Some((route, names(route.1, &segments)?)))
        .peekable();
    let refuse = |status, what: &str| {
        let (method, path) = (&request.method, &request.path);
        let message = format!("The emulator does not serve {what}{method} {path}.");
        Err(ArmError::new(status, UNSUPPORTED, message))
    };
    if known.peek().is_none() {
        return refuse(404, "");
    }
    let is_service = matches!(plane, Plane::Arm | Plane::Data | Plane::ModelManagement);
    if is_service && !request.authorized() {
        return Err(ArmError::front_door(
            401,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing or has no bearer token.",
        ));
    }
    let mut served = known.filter(|(route, _)| route.0 == request.method);
    let Some((&(_, template, parameters, serve), names)) = served.next() else {
        return refuse(405, "the method of ");
    };
    let call = Call {
        config,
        state,
        request,
        names: &names,
    };
    call.check_scope()?;
    if plane == Plane::Arm {
        versions::check(request.parameter("api-version").as_deref(), template)?;
    }
    // ARM compares names of parameters without case; blobs and scoring check theirs themselves.
    let known = |key: &str| match plane {
        Plane::Arm => {
            let mut known = parameters.iter().chain(&["api-version"]);
            known.any(|known| known.eq_ignore_ascii_case(key))
        }
        _ => !is_service || parameters.contains(&key),
    };
    match request.parameters().find(|(key, _)| !known(key)) {
        Some((key, _)) => Err(ArmError::unsupported(format!(
            "The query parameter '{key}' is not supported."
        ))),
        None => serve(call),
    }
}

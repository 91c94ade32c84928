//! Who runs: bare `reqwest`, a bare pipeline of `azure_core`, and the library.
//!
//! All three send the same token to the same server and read into the library's own types, so that
//! what differs is the way between them.

use super::BoxError;
use super::fixed::workspace;
use super::plain::Plain;
use super::process::Endpoint;
use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::http::headers::CLIENT_REQUEST_ID;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::{ClientOptions, Context, Method, Pipeline, Request, Transport, Url};
use azure_core::time::{Duration, OffsetDateTime};
use azureml_aks::{
    AksCompute, Cloud, Workspace,
    models::{AksProperties, ComputeResource},
};
use std::sync::Arc;

pub(crate) const API_VERSION: &str = "2026-05-01";
const COMPUTE: &str = "scoring-00000";
const GROUP: &str = "machine-learning";
const SUBSCRIPTION: &str = "6f3a7f2c-51b0-4c0e-9f8e-2d1c6a5b4e30";

/// About as long as those of Entra ID.
fn token() -> String {
    "0123456789abcdef".repeat(90)
}

#[derive(Debug)]
struct Fixed;

#[async_trait]
impl TokenCredential for Fixed {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        Ok(AccessToken {
            token: Secret::new(token()),
            expires_on: OffsetDateTime::now_utc() + Duration::hours(24),
        })
    }
}

/// One GET of one compute, decoded.
pub(crate) trait Get: Clone + Send + Sync + 'static {
    fn get(&self) -> impl Future<Output = Result<u32, BoxError>> + Send;
}

/// The library.
#[derive(Clone)]
pub(crate) struct Library(Workspace);

impl Library {
    /// With a list of so many items.
    pub(crate) fn new(endpoint: &Endpoint, items: usize) -> Result<Self, BoxError> {
        Self::of(endpoint, &workspace(items))
    }

    /// On a workspace of this name, with connections of its own.
    pub(crate) fn of(endpoint: &Endpoint, workspace: &str) -> Result<Self, BoxError> {
        let workspace = Workspace::builder(SUBSCRIPTION, GROUP, workspace)
            .cloud(Cloud::custom(
                &endpoint.origin,
                "https://management.azure.com",
            )?)
            .api_version(API_VERSION)
            .extra_ca(endpoint.pem.as_bytes())
            .credential(Arc::new(Fixed))
            .build()?;
        Ok(Self(workspace))
    }

    pub(crate) fn workspace(&self) -> &Workspace {
        &self.0
    }
}

impl Get for Library {
    async fn get(&self) -> Result<u32, BoxError> {
        let compute = AksCompute::get(&self.0, COMPUTE).await?;
        nodes(compute.resource())
    }
}

/// Bare `reqwest` and `serde_json`: the URL is parsed once and cloned.
#[derive(Clone)]
pub(crate) struct Reqwest {
    client: reqwest::Client,
    compute: Url,
    computes: Url,
    authorization: String,
}

impl Reqwest {
    /// With a list of so many items.
    pub(crate) fn new(endpoint: &Endpoint, items: usize) -> Result<Self, BoxError> {
        Ok(Self {
            client: client(endpoint)?,
            compute: url(endpoint, items, &format!("computes/{COMPUTE}"))?,
            computes: url(endpoint, items, "computes")?,
            authorization: format!("Bearer {}", token()),
        })
    }

    /// Reads a page at a time, into plain structs.
    pub(crate) async fn list(
        &self,
        mut each: impl FnMut(&Plain) -> Result<(), BoxError>,
    ) -> Result<(), BoxError> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page {
            value: Vec<Plain>,
            next_link: Option<String>,
        }
        let mut next = Some(self.computes.clone());
        while let Some(url) = next {
            let page: Page = serde_json::from_slice(&self.body(url).await?)?;
            for compute in page.value {
                each(&compute)?;
            }
            next = page.next_link.as_deref().map(Url::parse).transpose()?;
        }
        Ok(())
    }

    async fn body(&self, url: Url) -> reqwest::Result<azure_core::Bytes> {
        self.client
            .get(url)
            .header("authorization", &self.authorization)
            .header("accept", "application/json")
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await
    }
}

impl Get for Reqwest {
    async fn get(&self) -> Result<u32, BoxError> {
        let body = self.body(self.compute.clone()).await?;
        nodes(&serde_json::from_slice(&body)?)
    }
}

/// A bare pipeline of `azure_core`, with the request id set beforehand: how a generated client asks,
/// less what its id policy costs.
#[derive(Clone)]
pub(crate) struct Bare {
    pipeline: Pipeline,
    compute: Url,
}

impl Bare {
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self, BoxError> {
        let bearer = BearerTokenAuthorizationPolicy::new(
            Arc::new(Fixed),
            ["https://management.azure.com/.default"],
        );
        let options = ClientOptions {
            transport: Some(Transport::new(Arc::new(client(endpoint)?))),
            ..ClientOptions::default()
        };
        Ok(Self {
            pipeline: Pipeline::new(
                option_env!("CARGO_PKG_NAME"),
                option_env!("CARGO_PKG_VERSION"),
                options,
                Vec::new(),
                vec![Arc::new(bearer)],
                None,
            ),
            compute: url(endpoint, 0, &format!("computes/{COMPUTE}"))?,
        })
    }
}

impl Get for Bare {
    async fn get(&self) -> Result<u32, BoxError> {
        let mut request = Request::new(self.compute.clone(), Method::Get);
        let id: String = azure_core::Uuid::new_v4().into();
        request.insert_header(CLIENT_REQUEST_ID, id);
        request.insert_header("accept", "application/json");
        let context = Context::new();
        let response = self.pipeline.send(&context, &mut request, None).await?;
        nodes(&response.into_body().json()?)
    }
}

/// Something that has to be read to be known, and that the server always says.
pub(crate) fn nodes(compute: &ComputeResource) -> Result<u32, BoxError> {
    let nodes = compute.kind_properties::<AksProperties>().agent_count;
    nodes.ok_or_else(|| "the answer is not the compute".into())
}

/// A client that is set up as the library's own.
pub(crate) fn client(endpoint: &Endpoint) -> Result<reqwest::Client, BoxError> {
    let root = reqwest::Certificate::from_pem(endpoint.pem.as_bytes())?;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(std::time::Duration::from_secs(20))
        .tls_certs_merge([root])
        .build()?;
    Ok(client)
}

fn url(endpoint: &Endpoint, items: usize, path: &str) -> Result<Url, BoxError> {
    let url = format!(
        "{}/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/\
         Microsoft.MachineLearningServices/workspaces/{}/{path}?api-version={API_VERSION}",
        endpoint.origin,
        workspace(items),
    );
    Ok(Url::parse(&url)?)
}

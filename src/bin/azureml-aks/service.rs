//! `service`: web services on AKS.

use crate::args::{Named, Sure, Waiting, condition, pair};
use crate::connect::Session;
use crate::deployment::{Inference, Models, Settings};
use crate::failure::{Failure, Result};
use crate::foreign::{Foreign, OfUpdate};
use crate::output::{Columns, Shown};
use crate::wait::wait_for;
use azureml_aks::azure_core::time::{OffsetDateTime, to_rfc3339};
use azureml_aks::models::{ServiceKeys, ServiceResource};
use azureml_aks::{AksWebservice, KeyName, LogOptions, ServiceQuery, ServiceUpdate};
use clap::{Args, Subcommand, ValueEnum};
use futures::TryStreamExt;
use serde_json::{Value, json};
use std::io::Read;
use std::time::SystemTime;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows a service.
    #[command(after_help = "Example:\n  azureml-aks service show -n myservice")]
    Show(Named),
    /// Lists the services on AKS.
    #[command(after_help = "Example:\n  azureml-aks service list --model-name mymodel -o table")]
    List(List),
    /// Changes a service.
    #[command(
        after_help = "Example:\n  azureml-aks service update -n myservice -m mymodel:2 --ic inferenceconfig.json"
    )]
    Update(Box<Update>),
    /// Prints the keys of a service. They are secret.
    #[command(
        after_help = "Example:\n  azureml-aks service get-keys -n myservice --query primaryKey -o tsv"
    )]
    GetKeys(Named),
    /// Makes a key anew, and prints both. They are secret.
    #[command(after_help = "Example:\n  azureml-aks service regen-key -n myservice -k Primary")]
    RegenKey(RegenKey),
    /// Prints a token for a service. It is secret.
    #[command(
        after_help = "Example:\n  azureml-aks service get-access-token -n myservice --query accessToken -o tsv"
    )]
    GetAccessToken(Named),
    /// Prints the logs of a service.
    #[command(after_help = "Example:\n  azureml-aks service get-logs -n myservice -l 100")]
    GetLogs(GetLogs),
    /// Calls a service.
    #[command(
        after_help = "Examples:\n  azureml-aks service run -n myservice -d @testdata.json\n  \
        azureml-aks service run -n myservice -d '{\"data\": [[1, 2]]}'"
    )]
    Run(Run),
    /// Deletes a service.
    #[command(after_help = "Example:\n  azureml-aks service delete -n myservice --yes")]
    Delete(Delete),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Kind of compute; AKS is the only one here.
    #[arg(long, short)]
    compute_type: Option<String>,
    /// Name of a model in the service.
    #[arg(long)]
    model_name: Option<String>,
    /// Id of a model in the service.
    #[arg(long)]
    model_id: Option<String>,
    /// Digest of the image.
    #[arg(long)]
    image_digest: Option<String>,
    /// Tag, as KEY or KEY=VALUE.
    #[arg(long, value_parser = condition, value_name = "KEY[=VALUE]")]
    tag: Vec<(String, Option<String>)>,
    /// Property, as KEY or KEY=VALUE.
    #[arg(long, value_parser = condition, value_name = "KEY[=VALUE]")]
    property: Vec<(String, Option<String>)>,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    models: Models,
    #[command(flatten)]
    inference: Inference,
    #[command(flatten)]
    settings: Settings,
    /// Text about the service.
    #[arg(long, short)]
    description: Option<String>,
    /// Tag to set, as KEY=VALUE.
    #[arg(long, value_parser = pair, value_name = "KEY=VALUE")]
    add_tag: Vec<(String, String)>,
    /// Tag to remove.
    #[arg(long, value_name = "KEY")]
    remove_tag: Vec<String>,
    /// Property to add, as KEY=VALUE.
    #[arg(long, value_parser = pair, value_name = "KEY=VALUE")]
    add_property: Vec<(String, String)>,
    /// Send the request even if the checks of the service find errors in it.
    #[arg(long)]
    despite_findings: bool,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    _foreign: Foreign<OfUpdate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(crate) enum Key {
    /// The primary key.
    Primary,
    /// The secondary key.
    Secondary,
}

#[derive(Debug, Args)]
pub(crate) struct RegenKey {
    #[command(flatten)]
    named: Named,
    /// Which key.
    #[arg(long, short, ignore_case = true, value_enum)]
    key: Key,
    /// Own value. Other users of this machine can see it in the list of processes.
    #[arg(long, short, value_name = "VALUE")]
    set_key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct GetLogs {
    #[command(flatten)]
    named: Named,
    /// How many lines from the end.
    #[arg(
        long = "num-lines",
        alias = "num_lines",
        short = 'l',
        default_value_t = 5000
    )]
    lines: u32,
    /// Take the init container's.
    #[arg(long, short)]
    init: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    named: Named,
    /// What to send: a text, @FILE, or @- for standard input.
    #[arg(long, short = 'd', value_name = "DATA")]
    input_data: String,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    sure: Sure,
    #[command(flatten)]
    waiting: Waiting,
}

const SERVICE: Columns = &[
    ("Name", "/name"),
    ("UpdatedAt", "/updatedAt"),
    ("State", "/state"),
    ("ComputeType", "/computeType"),
    ("ScoringUri", "/scoringUri"),
    ("Tags", "/tags"),
    ("Properties", "/properties"),
];

const LISTED: Columns = &[
    ("Name", "/name"),
    ("UpdatedAt", "/updatedAt"),
    ("State", "/state"),
    ("ScoringUri", "/scoringUri"),
];

const KEYS: Columns = &[
    ("PrimaryKey", "/primaryKey"),
    ("SecondaryKey", "/secondaryKey"),
];

const TOKEN: Columns = &[
    ("AccessToken", "/accessToken"),
    ("TokenType", "/tokenType"),
    ("RefreshAfter", "/refreshAfter"),
    ("ExpiryOn", "/expiryOn"),
];

pub(crate) async fn run(session: &Session, command: Command) -> Result<Shown> {
    let workspace = session.workspace().await?;
    let get = async |named: &Named| {
        session
            .unless_interrupted(None, AksWebservice::get(&workspace, &named.name))
            .await
    };
    match command {
        Command::Show(named) => Ok(shown(session, get(&named).await?.resource())),
        Command::List(list) => {
            let services = AksWebservice::list(&workspace, list.query()?);
            let services: Vec<AksWebservice> = session
                .unless_interrupted(None, services.try_collect())
                .await?;
            let services = services
                .iter()
                .map(|service| shape(session, service.resource()));
            Ok(Shown::table(services.collect(), LISTED))
        }
        Command::Update(update) => {
            let mut service = get(&update.named).await?;
            self::update(session, &mut service, *update).await
        }
        Command::GetKeys(named) => {
            let service = get(&named).await?;
            Ok(keys(
                &session.unless_interrupted(None, service.keys()).await?,
            ))
        }
        Command::RegenKey(regen) => {
            let service = get(&regen.named).await?;
            let mut request = service.regenerate_key(match regen.key {
                Key::Primary => KeyName::Primary,
                Key::Secondary => KeyName::Secondary,
            });
            if let Some(value) = regen.set_key {
                request = request.value(value);
            }
            let prepared = session.unless_interrupted(None, request.prepare()).await?;
            Ok(keys(&session.send(prepared).await?))
        }
        Command::GetAccessToken(named) => {
            let service = get(&named).await?;
            let token = session.unless_interrupted(None, service.token()).await?;
            let time =
                |time: Option<SystemTime>| time.map(|time| to_rfc3339(&OffsetDateTime::from(time)));
            Ok(Shown::table(
                json!({
                    "accessToken": token.access_token.secret(),
                    "expiryOn": time(token.expires_on()),
                    "refreshAfter": time(token.refresh_after()),
                    "tokenType": token.token_type,
                }),
                TOKEN,
            ))
        }
        Command::GetLogs(logs) => {
            let service = get(&logs.named).await?;
            let mut options = LogOptions::new().tail(logs.lines);
            if logs.init {
                options = options.init();
            }
            Ok(Shown::text(
                session
                    .unless_interrupted(None, service.logs(options))
                    .await?,
            ))
        }
        Command::Run(run) => {
            let data = data(&run.input_data)?;
            let service = get(&run.named).await?;
            let authority = session.authority().await?;
            let answer = async {
                let builder = service.scoring_client_builder().await?;
                let builder = match authority {
                    Some(ca) => builder.extra_ca(ca),
                    None => builder,
                };
                builder.build()?.run_bytes(data, "application/json").await
            };
            let answer = session.unless_interrupted(None, answer).await?;
            let text = String::from_utf8_lossy(answer.body()).into_owned();
            Ok(match serde_json::from_str(&text) {
                // A table has the whole answer in one cell, whatever its form.
                Ok(value @ (Value::Object(_) | Value::Array(_))) => Shown {
                    rows: Some(value.to_string().into()),
                    ..Shown::new(value)
                },
                Ok(value) => Shown::new(value),
                Err(_) => Shown::text(text),
            })
        }
        Command::Delete(delete) => {
            session.confirm(
                delete.sure.yes,
                &format!("The service {:?} is deleted.", delete.named.name),
            )?;
            let mut service = get(&delete.named).await?;
            let prepared = session
                .unless_interrupted(None, service.delete().prepare())
                .await?;
            let mut operation = session.send(prepared).await?;
            if wait_for!(session, delete.waiting.no_wait, operation, wait).is_none() {
                return Ok(Shown::nothing());
            }
            Ok(Shown::table(
                json!({ "name": delete.named.name }),
                &SERVICE[..1],
            ))
        }
    }
}

impl List {
    fn query(self) -> Result<ServiceQuery> {
        if let Some(kind) = self
            .compute_type
            .filter(|kind| !kind.eq_ignore_ascii_case("aks"))
        {
            return Err(Failure::usage(format!(
                "--compute-type {kind}: this program knows services on AKS alone"
            )));
        }
        let mut query = ServiceQuery::new();
        if let Some(name) = self.model_name {
            query = query.model_name(name);
        }
        if let Some(id) = self.model_id {
            query = query.model_id(id);
        }
        if let Some(digest) = self.image_digest {
            query = query.image_id(digest);
        }
        for (name, value) in self.tag {
            query = match value {
                Some(value) => query.tag(name, value),
                None => query.has_tag(name),
            };
        }
        for (name, value) in self.property {
            query = match value {
                Some(value) => query.property(name, value),
                None => query.has_property(name),
            };
        }
        Ok(query)
    }
}

async fn update(session: &Session, service: &mut AksWebservice, update: Update) -> Result<Shown> {
    let models = update.models.read(session, service.workspace()).await?;
    let inference = update.inference.configuration()?;
    let settings = update.settings.update(session)?;
    let mut builder = settings.map_or_else(ServiceUpdate::builder, ServiceUpdate::into_builder);
    if let Some(text) = update.description {
        builder = builder.description(text);
    }
    for (name, value) in update.add_tag {
        builder = builder.tag(name, value);
    }
    for name in update.remove_tag {
        builder = builder.remove_tag(name);
    }
    for (name, value) in update.add_property {
        builder = builder.property(name, value);
    }
    let settings = builder.build()?;
    session.warn_of(settings.warnings());
    let mut request = service.update(settings);
    if let Some(inference) = inference {
        session.warn_of(inference.warnings());
        request = request.inference_configuration(inference);
    }
    if !models.is_empty() {
        request = request.models(&models);
    }
    if update.despite_findings {
        request = request.despite_findings();
    }
    let prepared = session.unless_interrupted(None, request.prepare()).await?;
    session.send(prepared).await?;
    if wait_for!(
        session,
        update.waiting.no_wait,
        service,
        wait_for_deployment
    )
    .is_none()
    {
        return Ok(Shown::nothing());
    }
    Ok(shown(session, service.resource()))
}

/// A text, or what the file holds.
fn data(input: &str) -> Result<Vec<u8>> {
    let Some(file) = input.strip_prefix('@') else {
        return Ok(input.as_bytes().to_vec());
    };
    if file == "-" {
        let mut data = Vec::new();
        std::io::stdin().read_to_end(&mut data)?;
        return Ok(data);
    }
    std::fs::read(file).map_err(|error| Failure::file(file.as_ref(), error))
}

fn keys(keys: &ServiceKeys) -> Shown {
    let value = json!({
        "primaryKey": keys.primary_key.as_ref().map(|key| key.secret()),
        "secondaryKey": keys.secondary_key.as_ref().map(|key| key.secret()),
    });
    Shown::table(value, KEYS)
}

pub(crate) fn shown(session: &Session, service: &ServiceResource) -> Shown {
    Shown::table(shape(session, service), SERVICE)
}

/// The main members of a service as the original shows them, or all with `-v`.
fn shape(session: &Session, service: &ServiceResource) -> Value {
    if session.global.whole {
        return service.to_value();
    }
    let map = |map: &std::collections::BTreeMap<String, String>| {
        if map.is_empty() {
            json!("")
        } else {
            json!(map)
        }
    };
    json!({
        "computeType": service.compute_type,
        "name": service.name,
        "properties": map(&service.properties),
        "scoringUri": service.scoring_uri.clone().unwrap_or_default(),
        "state": service.state,
        "tags": map(&service.tags),
        "updatedAt": service.updated_time,
    })
}

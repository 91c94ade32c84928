//! Many operations at once: one list in place of a poll for each.

mod adversities;
mod ends;
mod failing;
mod pace;
mod rows;

use super::dropping::until_pending;
use super::support::*;
use azureml_aks::{
    AksCompute, ComputeTarget, ErrorKind, Operation, ResumeToken, Resumed, WaitOptions, wait_all,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const BASE: &str = "https://management.azure.com/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes";

const STATUS: &str = "https://management.azure.com/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/eastus/mlOperations";

/// A compute as the scripted service has it.
#[derive(Clone)]
struct Compute {
    /// From when, by the service's clock, the list shows which row. `None`: the list has no row for it.
    rows: Vec<(f64, Option<(&'static str, &'static str)>)>,
    /// The status of the monitor from then on.
    monitor: Vec<(f64, &'static str)>,
    attached: bool,
    /// Whether the first answer names a monitor.
    monitored: bool,
}

impl Compute {
    /// Made within so many seconds.
    fn made_in(seconds: f64) -> Self {
        Self {
            rows: vec![
                (0.0, Some(("Creating", "t0"))),
                (seconds, Some(("Succeeded", "t1"))),
            ],
            monitor: vec![(0.0, "InProgress"), (seconds, "Succeeded")],
            attached: false,
            monitored: true,
        }
    }

    fn row(&self, at: f64) -> Option<(&'static str, &'static str)> {
        self.rows.iter().rev().find(|row| row.0 <= at)?.1
    }

    fn status(&self, at: f64) -> &'static str {
        self.monitor
            .iter()
            .rev()
            .find(|status| status.0 <= at)
            .unwrap()
            .1
    }
}

fn made_in(names: &[&'static str], seconds: f64) -> BTreeMap<&'static str, Compute> {
    let compute = Compute::made_in(seconds);
    names.iter().map(|name| (*name, compute.clone())).collect()
}

fn document(name: &str, compute: &Compute, (state, modified): (&str, &str)) -> Value {
    json!({
        "id": format!("{}/{name}", BASE.trim_start_matches("https://management.azure.com")),
        "name": name,
        "properties": {
            "computeType": "AKS",
            "isAttachedCompute": compute.attached,
            "provisioningState": state,
            "modifiedOn": modified,
        },
    })
}

/// A service with these computes, in pages of `page`. Its clock starts with the first write.
fn serve(stage: &Stage, computes: &BTreeMap<&'static str, Compute>, page: usize) {
    stage.script.otherwise(service(computes.clone(), page));
}

fn service(
    computes: BTreeMap<&'static str, Compute>,
    page: usize,
) -> impl FnMut(&Sent) -> Reply + Send {
    let mut written: BTreeMap<String, Duration> = BTreeMap::new();
    move |sent| {
        let path = sent.url.split('?').next().unwrap();
        let name = path.rsplit('/').next().unwrap().to_owned();
        let since = |name: &str| written.get(name).map(|at| (sent.at - *at).as_secs_f64());
        if path == BASE {
            let skip = sent
                .url
                .split("skip=")
                .nth(1)
                .map_or(0, |skip| skip.parse().unwrap());
            let rows: Vec<Value> = computes
                .iter()
                .filter_map(|(name, compute)| {
                    Some(document(
                        name,
                        compute,
                        compute.row(since(name).unwrap_or(0.0))?,
                    ))
                })
                .collect();
            let mut body =
                json!({ "value": rows[skip.min(rows.len())..(skip + page).min(rows.len())] });
            if skip + page < rows.len() {
                body["nextLink"] = json!(format!(
                    "{BASE}?api-version=2026-05-01&skip={}",
                    skip + page
                ));
            }
            return reply(200).json(&body);
        }
        if path.starts_with(STATUS) {
            return status(computes[name.as_str()].status(since(&name).unwrap()));
        }
        let compute = &computes[name.as_str()];
        match sent.method.as_str() {
            "GET" => match since(&name).map_or_else(
                || compute.attached.then_some(("Succeeded", "t0")),
                |at| compute.row(at),
            ) {
                Some(row) => reply(200).json(&document(&name, compute, row)),
                None => not_found(),
            },
            method => {
                let put = method == "PUT" && compute.monitored;
                let code = if put { 201 } else { 202 };
                let first = compute.row(0.0);
                written.insert(name.clone(), sent.at);
                let answer = reply(code);
                let answer = match compute.monitored {
                    true => answer.header(
                        "Azure-AsyncOperation",
                        &format!("{STATUS}/{name}?api-version=1"),
                    ),
                    false => answer,
                };
                match first.filter(|_| put) {
                    Some(row) => answer.json(&document(&name, compute, row)),
                    None => answer,
                }
            }
        }
    }
}

async fn create(stage: &Stage, names: &[&'static str]) -> Vec<AksCompute> {
    let mut computes = Vec::new();
    for name in names {
        let compute = ComputeTarget::create(&stage.workspace, name, configuration()).await;
        computes.push(compute.unwrap());
    }
    computes
}

/// The reads after the writes: lists, monitors, computes.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    lists: usize,
    monitors: usize,
    computes: usize,
}

fn asked(sent: &[Sent]) -> Asked {
    let count = |is: &dyn Fn(&str) -> bool| {
        sent.iter()
            .filter(|sent| sent.method == "GET" && is(sent.url.split('?').next().unwrap()))
            .count()
    };
    Asked {
        lists: count(&|path| path == BASE),
        monitors: count(&|path| path.starts_with(STATUS)),
        computes: count(&|path| path.starts_with(BASE) && path != BASE),
    }
}

const NAMES: [&str; 5] = ["aks-a", "aks-b", "aks-c", "aks-d", "aks-e"];

/// A compute that is there, with an update that was begun through its handle.
async fn update(stage: &Stage, name: &str) -> AksCompute {
    let mut compute = AksCompute::get(&stage.workspace, name).await.unwrap();
    let change = azureml_aks::UpdateConfiguration::builder()
        .tls(azureml_aks::TlsUpdate::Disable)
        .build()
        .unwrap();
    compute.update(change).await.unwrap();
    compute
}

fn updated(rows: Vec<(f64, Option<(&'static str, &'static str)>)>) -> Compute {
    Compute {
        rows,
        attached: true,
        ..Compute::made_in(300.0)
    }
}

async fn detach(stage: &Stage, name: &str) -> Operation<()> {
    let mut compute = AksCompute::get(&stage.workspace, name).await.unwrap();
    compute.detach().await.unwrap()
}

/// Names enough for a crowd; a test needs them for its whole life.
fn crowd(size: usize) -> Vec<&'static str> {
    (0..size)
        .map(|number| &*format!("aks-{number}x").leak())
        .collect()
}

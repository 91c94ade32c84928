//! Answers of the service, and their results.

mod computes;
mod errors;
mod examples;
mod keys;
mod lists;
mod operations;

use crate::support::redirect::{ARM, Reply, Service, at};
use azureml_aks::{
    AksCompute, AnyCompute, ComputeTarget, Continuation, Error, ErrorKind, LoadBalancer,
    UpdateConfiguration, WaitOptions, Workspace,
    models::{AksProperties, Page},
};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

fn fast() -> WaitOptions {
    WaitOptions::new()
        .poll_floor(Duration::ZERO)
        .deadline(Duration::from_secs(20))
}

fn aks(state: &str) -> Value {
    json!({ "name": "myaks", "properties": { "computeType": "AKS", "provisioningState": state } })
}

async fn get(reply: Reply) -> Result<AksCompute, Error> {
    let mut service = Service::start().await;
    service.on_get(reply).await;
    AksCompute::get(&service.workspace(), "myaks").await
}

/// The refusal of a read with this answer.
async fn refusal(status: u16, body: &Value) -> Error {
    get(Reply::json(status, body)).await.unwrap_err()
}

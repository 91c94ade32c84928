//! A kind of compute that no service has: it shows that a new kind is a folder and a line in
//! `compute/mod.rs`, and that everything written for all kinds works on it.

use super::kind::{CreateWith, Kind, UpdateWith, kind, sealed};
use super::{AnyCompute, ComputeTarget};
use crate::error::Error;
use crate::names::WorkspaceId;
use serde::Deserialize;
use serde_json::{Value, json};

type ToyCompute = ComputeTarget<Toy>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Toy {}

kind!(Toy);

impl Kind for Toy {
    const COMPUTE_TYPE: &'static str = "Toy";

    type Properties = ToyProperties;

    const COMPARED: &'static [(&'static str, &'static str)] =
        &[("wheels", "/properties/properties/wheels")];
}

/// The three properties of the kind.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ToyProperties {
    wheels: Option<u32>,
    paint: Option<String>,
    wound_up: Option<bool>,
}

#[derive(Debug, Clone)]
struct ToyConfiguration {
    wheels: u32,
    paint: &'static str,
}

impl sealed::Sealed for ToyConfiguration {}

impl CreateWith for ToyConfiguration {
    type Kind = Toy;

    fn body(&self, _: &WorkspaceId, location: &str) -> Value {
        json!({
            "location": location,
            "properties": {
                "computeType": Toy::COMPUTE_TYPE,
                "properties": { "wheels": self.wheels, "paint": self.paint },
            },
        })
    }
}

struct WindUp;

impl sealed::Sealed for WindUp {}

impl UpdateWith for WindUp {
    type Kind = Toy;

    fn apply(&self, mut current: Value) -> Result<Value, Error> {
        current["properties"]["properties"]["woundUp"] = json!(true);
        Ok(current)
    }
}

mod tests {
    use super::*;
    use crate::compute::AksCompute;
    use crate::error::ErrorKind;
    use crate::operation::tests::script::{Reply, Script, reply};
    use crate::operation::tests::workspace;
    use crate::{Resumed, WaitOptions};
    use futures::TryStreamExt;

    fn toy(state: &str, wheels: u32, wound_up: bool) -> Value {
        json!({
            "name": "mytoy",
            "properties": {
                "computeType": "toy",
                "provisioningState": state,
                "isAttachedCompute": false,
                "properties": { "wheels": wheels, "paint": "red", "woundUp": wound_up },
            },
        })
    }

    fn shown(state: &str, wheels: u32, wound_up: bool) -> Reply {
        reply(200).json(&toy(state, wheels, wound_up))
    }

    #[tokio::test(start_paused = true)]
    async fn kind_of_one_folder_has_every_verb() -> Result<(), Error> {
        let script = Script::new();
        let workspace = workspace(&script);
        let config = ToyConfiguration {
            wheels: 4,
            paint: "red",
        };

        script.expect([
            reply(404).json(&json!({ "error": { "code": "ResourceNotFound" } })),
            reply(200).json(&json!({ "location": "westeurope" })),
            reply(201).json(&toy("Creating", 4, false)),
            shown("Creating", 4, false),
            shown("Succeeded", 3, false),
        ]);
        let mut compute = ComputeTarget::create(&workspace, "mytoy", config).await?;
        let token = compute.resume_token().cloned().unwrap();
        assert_eq!(token.resource().to_string(), "compute/Toy");
        compute.wait_for_completion(WaitOptions::new()).await?;
        assert_eq!(compute.properties().wheels, Some(3));
        assert_eq!(compute.properties().paint.as_deref(), Some("red"));
        assert_eq!(compute.deviations()[0].path, "wheels");

        script.expect([
            shown("Succeeded", 3, false),
            reply(200).json(&toy("Updating", 3, false)),
            shown("Succeeded", 3, true),
        ]);
        compute.update(WindUp).await?;
        assert_eq!(compute.status(), Some("Updating"));
        compute.wait_for_completion(WaitOptions::new()).await?;
        assert_eq!(compute.properties().wound_up, Some(true));

        script.expect([reply(200).json(&json!({ "value": [
            toy("Succeeded", 3, true),
            { "name": "other", "properties": { "computeType": "AKS" } },
        ] }))]);
        let listed: Vec<ToyCompute> = ToyCompute::list(&workspace).try_collect().await?;
        assert_eq!(listed.len(), 1);

        let Resumed::Compute(resumed) = workspace.resume(&token).await? else {
            panic!("the token of a create is resumed as a compute");
        };
        assert_eq!(resumed.compute_type(), "Toy");
        let refused = AksCompute::try_from(resumed.clone()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Refused);
        ToyCompute::try_from(resumed)?;

        let mut any: AnyCompute = compute.into();
        assert_eq!(any.properties()["woundUp"], true);
        script.expect([shown("Succeeded", 3, true), reply(200)]);
        any.delete().await?.await?;
        any.wait_for_completion(WaitOptions::new()).await?;
        assert_eq!(script.unused(), 0);
        Ok(())
    }
}

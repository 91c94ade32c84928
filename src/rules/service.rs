//! Rules for web services.

use super::{Advice, Refusal, registry};

registry! {
    section "Names of models and services" needs "services" {
        Refusal MODEL_NAME_LENGTH = "model.name.length": "a model name has 1 to 255 characters",
            broken by r#"`""`"#,
            remedy "choose a name of 1 to 255 characters",
            source "`azureml-core` 1.61, `model_name_validation`";
        Refusal MODEL_NAME_CHARACTERS = "model.name.characters": "a model name has ASCII letters, digits, `-`, `_` and `.` only",
            broken by "`my model`, `a:b`",
            remedy "leave the other characters out",
            source "`azureml-core` 1.61, `model_name_validation`";
        Refusal MODEL_NAME_START = "model.name.start": "a model name starts with a letter or a digit",
            broken by "`_model`",
            remedy "begin with a letter or a digit",
            source "`azureml-core` 1.61, `model_name_validation`";
        Refusal SERVICE_NAME_LENGTH = "service_name.length": "a service name has 3 to 32 characters",
            broken by "`ab`",
            remedy "choose 3 to 32 characters; the message suggests a name",
            source "`azureml-core` 1.61, `webservice_name_validation`";
        Refusal SERVICE_NAME_CHARACTERS = "service_name.characters": "a service name has lowercase ASCII letters, digits and `-` only",
            broken by "`My_Service`",
            remedy "use lowercase letters, digits and hyphens",
            source "`azureml-core` 1.61, `webservice_name_validation`";
        Refusal SERVICE_NAME_START = "service_name.start": "a service name starts with a letter",
            broken by "`1service`",
            remedy "begin with a letter",
            source "`azureml-core` 1.61, `webservice_name_validation`";
        Refusal SERVICE_NAME_END = "service_name.end": "a service name ends with a letter or a digit",
            broken by "`service-`",
            remedy "drop the hyphen",
            source "`azureml-core` 1.61, `webservice_name_validation`";
    }

    section "Deploy configurations" needs "services" {
        Refusal DEPLOY_COUNT_ZERO = "deploy.count.zero": "a count or a duration is at least one of its unit",
            broken by "0 replicas, a timeout of zero",
            remedy "give one or more, or leave it out",
            source "`azureml-core` 1.61: greater than zero";
        Refusal DEPLOY_COUNT_TOO_LARGE = "deploy.count.too_large": "a count or a duration fits into the 32 bits that the service has for it",
            broken by "3,000,000,000 replicas",
            remedy "give a smaller number",
            source "`modelManagement` 2019-09-30: `int32`";
        Refusal DEPLOY_DURATION_UNIT = "deploy.duration.unit": "a duration is a whole number of the unit that the service counts in",
            broken by "a probe every 1.5 seconds",
            remedy "give whole seconds, or whole milliseconds",
            source "`modelManagement` 2019-09-30: integers; nothing is rounded silently";
        Refusal DEPLOY_AMOUNT = "deploy.resources.amount": "an amount of CPU or memory is a finite number above zero",
            broken by "`0.0`, `NaN`",
            remedy "give a finite number above zero, or leave it out",
            source "`azureml-core` 1.61: greater than zero";
        Refusal DEPLOY_LIMIT_BELOW_REQUEST = "deploy.resources.limit": "a limit is at least the amount that is requested",
            broken by "2 cores, at most 1",
            remedy "raise the limit, request less, or leave the limit out",
            source "`azureml-core` 1.61";
        Refusal DEPLOY_FPGA_PAIRS = "deploy.resources.fpga": "FPGA devices come in pairs",
            broken by "3 devices",
            remedy "give a multiple of 2",
            source r#"`modelManagement` 2019-09-30: "multiple of 2""#;
        Refusal DEPLOY_REPLICAS_RANGE = "deploy.replicas.range": "the smallest number of replicas is at most the largest",
            broken by "4 to 3 replicas",
            remedy "swap the two, or raise the largest",
            source "`azureml-core` 1.61";
        Advice DEPLOY_REPLICAS_DEFAULT_MAXIMUM = "deploy.replicas.default_maximum": "a smallest number of replicas above 10 comes with a largest one",
            broken by "at least 20 replicas without a largest number",
            remedy "give the largest number too",
            source "the documented default of the largest number is 10";
        Refusal DEPLOY_UTILIZATION = "deploy.replicas.utilization": "the target utilisation is 1 to 100 percent",
            broken by "`0`, `101`",
            remedy "give 1 to 100, for example 70",
            source "a share of busy replicas; `azureml-core` 1.61 checks the lower end only";
        Advice DEPLOY_PROBE_SUCCESSES = "deploy.probe.success_threshold": "a liveness probe asks for one success",
            broken by "2 successes",
            remedy "leave it out",
            source "Kubernetes documentation: must be 1 for liveness";
        Refusal DEPLOY_SCORING_TIMEOUT = "deploy.scoring_timeout.maximum": "the scoring timeout is at most 300 seconds",
            broken by "301 seconds",
            remedy "give a shorter time; split work that takes longer",
            source "Azure/MachineLearningNotebooks issue 1624";
        Advice DEPLOY_CONCURRENCY = "deploy.concurrency.above_one": "a replica takes one request at a time",
            broken by "4 requests",
            remedy "leave it at 1, and add replicas",
            source "`azureml-core` 1.61: leave it at 1 unless Microsoft's support says otherwise";
        Refusal DEPLOY_KEY_EMPTY = "deploy.keys.empty": "a key is not empty",
            broken by r#"`""`"#,
            remedy "give a key, or leave it out",
            source "this crate: a key has content; messages never show it";
        Advice DEPLOY_KEYS_UNUSED = "deploy.keys.unused": "keys belong to key authentication",
            broken by "a key and `Auth::Token`",
            remedy "use `Auth::Key`, or leave the keys out",
            source "this crate: one of the two looks like a mistake";
        Refusal DEPLOY_METADATA_NAME = "deploy.metadata.name": "the name of a tag or a property is not empty",
            broken by r#"`""`"#,
            remedy "give it a name",
            source "this crate; no source gives another limit for the tags of a service";
    }

    section "Files of deploy configurations" needs "services" {
        Refusal DEPLOY_FILE_UNREADABLE = "deploy_file.unreadable": "the file can be read, as text of at most 1 MiB",
            broken by "a missing file, a folder, 2 MiB, Latin-1",
            remedy "give the path of a YAML or JSON file that this program may read",
            source "`deploymentconfig.json`; the limit is of this crate";
        Refusal DEPLOY_FILE_SYNTAX = "deploy_file.syntax": "the file holds an object, in YAML or JSON, with each key once",
            broken by "a list, an empty file, a key that is there twice",
            remedy "correct it at the line that the message names",
            source "`az ml` reads YAML first and JSON second; that a key is there once is a rule of this crate";
        Refusal DEPLOY_FILE_TYPE = "deploy_file.type": "a member of the file has its documented type",
            broken by r#"`"containerResourceRequirements": { "cpu": "0.5" }`, `"gpuCores": -1`"#,
            remedy "write the type that the message names, or leave it out",
            source "`machine-learning-service-aks-deploy-config`, 2020-03; messages quote no text, since it may be a key";
        Refusal DEPLOY_FILE_COMPUTE_TYPE = "deploy_file.compute_type": "the file names AKS as its compute type",
            broken by r#"`"computeType": "aci"`, or `"gpuCores": 1` without a type"#,
            remedy r#"write `"computeType": "aks"`"#,
            source "required; `azureml-core` 1.61 compares without case";
        Refusal DEPLOY_FILE_AUTH = "deploy_file.auth": "the file does not turn keys and tokens on together",
            broken by r#"`"authEnabled": true, "tokenAuthEnabled": true`"#,
            remedy "set one to false",
            source "`azureml-core` 1.61; in code, `Auth` is one value";
        Refusal DEPLOY_FILE_REPLICAS = "deploy_file.replicas": "the file asks either for a number of replicas or for autoscaling",
            broken by r#"`"numReplicas": 1, "autoScaler": { "autoscaleEnabled": true }`, `"autoScaler": { "minReplicas": 1 }`"#,
            remedy "remove one, or set `autoscaleEnabled` to true",
            source "`azureml-core` 1.61";
        Advice DEPLOY_FILE_UNKNOWN_KEY = "deploy_file.unknown_key": "this crate reads every key of the file",
            broken by r#"`"sslEnabled": true`"#,
            remedy "correct its spelling, or remove it",
            source "`azureml-core` 1.61 ignores such keys";
        Refusal DEPLOY_FILE_STRICT = "deploy_file.strict": "in strict mode, this crate reads every key of the file",
            broken by r#"`"sslEnabled": true`, in strict mode"#,
            remedy "correct its spelling, or remove it",
            source "this crate";
    }

    section "Loads" needs "services" {
        Refusal LOAD_AMOUNT = "load.amount": "a load has requests, and they take time",
            broken by "no requests per second, a utilisation of 0 percent",
            remedy "give numbers above zero, and a percentage",
            source "`how-to-deploy-azure-kubernetes-service`, 2020-09: the formula divides by them";
        Refusal LOAD_TOO_LARGE = "load.too_large": "a load needs fewer replicas than the service can count",
            broken by "10 billion requests per second",
            remedy "divide the load between services",
            source "`modelManagement` 2019-09-30: `int32`";
    }

    section "Updates of a service" needs "services" {
        Refusal SERVICE_UPDATE_NOTHING = "service_update.nothing": "an update of a service changes something",
            broken by "`ServiceUpdate::builder().build()`",
            remedy "give a change",
            source "`azureml-core` 1.61";
        Refusal SERVICE_UPDATE_MODELS = "service_update.models_alone": "new models come with an inference configuration, or are one model that needs none",
            broken by "two models and nothing else",
            remedy "give the inference configuration too",
            source "`azureml-core` 1.61; `how-to-deploy-update-web-service`, 2021-10";
        Refusal SERVICE_UPDATE_PROPERTY = "service_update.property": "a property of a service keeps its value",
            broken by "another value for a property that the service has",
            remedy "choose another name, or use a tag",
            source "`how-to-deploy-update-web-service`, 2021-10: properties are immutable";
        Refusal SERVICE_UPDATE_CURRENT = "service_update.current": "an update of a service fits the settings that it leaves unchanged",
            broken by "at least 6 replicas, where at most 5 are set",
            remedy "change both in one update",
            source "this crate: the rules above, for settings of which only one changes";
    }
}

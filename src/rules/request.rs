//! Rules for requests: the verbs that send them check these rules, and no builder does.

use super::{Advice, Refusal, Unchecked, registry};

registry! {
    section "Finished computes" {
        Advice COMPUTE_DEVIATES = "compute.deviates": "a finished compute matches the request",
            broken by "a compute of another size, created under the same name at the same moment",
            remedy "ask who created it before you change or delete it",
            source "this crate: `create` reads before it writes, and the service offers no way to close the gap; `deviations()` of the handle lists the findings";
    }

    section "Attachments" {
        Advice CLUSTER_ATTACHED_AGAIN = "cluster.attached_again": "a cluster is attached under one name",
            broken by "a second compute of kind Kubernetes for the same cluster",
            remedy "nothing, if it is intended; else detach one of the two",
            source "`how-to-attach-kubernetes-to-workspace`: one cluster can be attached several times as a compute of kind Kubernetes; `notes()` of the handle lists the finding";
    }

    section "Regions and sizes" {
        Refusal REGION_NAME = "region.name": "a region has the name that Azure gives it: letters and digits, or the words that the portal shows",
            broken by "`west-europe`",
            remedy "give a name that `az account list-locations` lists",
            source "the path of every request about a region; a region that offers no VM size at all is not one";
        Refusal REGION_VM_SIZE = "region.vm_size": "a VM size is one that the region offers",
            broken by "`Standard_D3_v9`",
            remedy "give a name that `az vm list-skus` lists",
            source "`Microsoft.Compute/skus`";
    }

    section "Requests about models" needs "services" {
        Refusal MODEL_VERSION = "model.version": "the version in a model id is a whole number",
            broken by "`mymodel:x`",
            remedy "write `name:version`, for example `mymodel:1`",
            source "command line reference 2020-06: `-m mymodel:1`";
        Refusal MODEL_FRAMEWORK_MISSING = "model.framework_missing": "the version of a framework comes with the framework",
            broken by "`framework_version` alone",
            remedy "name the framework too",
            source "`azureml-core` 1.61";
        Refusal MODEL_NEEDS_POSITIVE = "model.resource_needs.positive": "a resource need of a model is a finite number above zero",
            broken by "-1 cores",
            remedy "give a number above zero, or leave it out",
            source "this crate";
        Refusal MODEL_PROPERTY = "model.property": "a property of a model keeps its value",
            broken by "another value for a property that the model has",
            remedy "choose another name, or use a tag",
            source "`azureml-core` 1.61: properties are immutable";
        Refusal MODEL_UPDATE_NOTHING = "model.update_nothing": "an update of a model changes something",
            broken by "`model.update()` alone, or with tags that the model has already",
            remedy "give a change",
            source "this crate: a request that changes nothing looks like a mistake";
        Advice MODEL_LINK = "model.link": "a link in the folder of a model leads to a file or folder in it, and not to a folder that the link is in",
            broken by "a link to `/etc/hosts`, or to `..`",
            remedy "copy into the folder what belongs to the model, and remove other links",
            source "this crate; what a link leads to is registered wherever it is, and a link that leads round is left out";
        Refusal MODEL_RUN_OUTPUT = "model.run_output": "an experiment, a run and a path among its outputs name the output of a run",
            broken by "`../x`, an empty run id",
            remedy "give the experiment, the run and a path among its outputs",
            source "this crate: the parts become a path of the request";
    }

    section "Lists of models and services" needs "services" {
        Refusal QUERY_PAIR = "query.pair": "a filter has a name without `,` and `=`, and a value without `,`",
            broken by r#"`.tag("colours", "red,green")`"#,
            remedy "list without the filter, and check what is listed",
            source "API 2019-09-30: `tags=key,key=value`, without a way to escape a comma";
    }

    section "Deployments" needs "services" {
        Refusal DEPLOYMENT_MODELS = "deployment.models": "a deployment has at most 1,000 models",
            broken by "1,001 models",
            remedy "divide the models between services",
            source "`how-to-deploy-azure-kubernetes-service`, 2020-09";
        Refusal DEPLOYMENT_WORKSPACE = "deployment.workspace": "the models and the compute target belong to the workspace of the service",
            broken by "a model of another workspace",
            remedy "register the model, or attach the cluster, in the workspace of the service",
            source "the request names both without a workspace";
        Refusal DEPLOYMENT_NO_CODE = "deployment.no_code": "a deployment without code has only models of frameworks that need none",
            broken by "a model of framework `Custom`",
            remedy "register the model with another framework, or give an inference configuration",
            source "`azureml-core` 1.61: Onnx, ScikitLearn, TensorFlow, Multi";
        Refusal DEPLOYMENT_CHECKED = "deployment.checked": "the service's own checks accept the request",
            broken by "a name that is taken; with `despite_findings`, the finding is a warning",
            remedy "correct the request, or send it despite the finding",
            source "`services/validate`, which `azureml-core` 1.61 asks too";
        Unchecked DEPLOYMENT_NOT_CHECKED = "deployment.not_checked": "the service answers its own checks of the request",
            broken by "a check that fails or takes more than 15 seconds",
            remedy "do nothing: the service checks when the request is made",
            source "`services/validate`; `azureml-core` 1.61 passes over a check that fails";
    }
}

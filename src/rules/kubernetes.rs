//! Rules for computes of kind Kubernetes.

use super::{Advice, Refusal, registry};

registry! {
    section "Namespaces and instance types" {
        Refusal NAMESPACE_SYNTAX = "namespace.syntax": "a namespace has 1 to 63 lowercase ASCII letters, digits and `-`, with a letter or digit at both ends",
            broken by "`-scoring`, `Scoring`",
            remedy "give the name that `kubectl get namespaces` shows",
            source "`azureml-core` 1.61; RFC 1123 label";
        Refusal INSTANCE_TYPE_NAME = "instance_type.name": "the name of an instance type has 1 to 253 lowercase ASCII letters, digits, `-` and `.`, with a letter or digit at both ends of each part",
            broken by "`GPU`, `gpu-`, `a..b`",
            remedy "give the name that `kubectl get instancetype` shows, or choose one such as `gpu-large`",
            source "Kubernetes documentation, object names: RFC 1123 subdomain; instance types are objects of the cluster (`how-to-manage-kubernetes-instance-types`)";
        Refusal INSTANCE_TYPE_NODE_SELECTOR = "instance_type.node_selector": "a node selector has the names and values that Kubernetes takes for labels",
            broken by "`my label`, `/name`",
            remedy "give what `kubectl get nodes --show-labels` shows",
            source "Kubernetes documentation, labels and selectors";
        Refusal INSTANCE_TYPE_RESOURCE = "instance_type.resource": "a resource of an instance type is `cpu`, `memory`, `ephemeral-storage`, huge pages of a size, or has a domain",
            broken by "`gpu`, `CPU`",
            remedy "write `cpu`, `memory`, or `nvidia.com/gpu`",
            source "Kubernetes documentation, resource management";
        Refusal INSTANCE_TYPE_QUANTITY = "instance_type.quantity": "an amount of a resource is a quantity of Kubernetes, not below zero",
            broken by "`2GB`, `-1`, `1,5`",
            remedy "write `100m`, `1.5`, `512Mi` or `2Gi`",
            source "Kubernetes documentation, quantities";
        Refusal INSTANCE_TYPE_EXTENDED = "instance_type.extended_resource": "a resource with a domain has a limit that is a whole number, and a request, if there is one, of the same amount",
            broken by "`0.5` of nvidia.com/gpu",
            remedy "set the limit to a whole number, and leave the request out",
            source "Kubernetes documentation, extended resources";
        Refusal INSTANCE_TYPE_LIMIT = "instance_type.limit_below_request": "a limit is at least the amount that is requested",
            broken by "a request of 2Gi, and a limit of 1Gi",
            remedy "raise the limit, request less, or leave the limit out",
            source "Kubernetes documentation, resource management";
        Advice INSTANCE_TYPE_DEFAULT = "instance_type.default_not_listed": "a default instance type is one of the instance types that are given with it",
            broken by "the default `cpu` with the instance type `gpu` alone",
            remedy "add the instance type, or make sure that the cluster has it",
            source "`how-to-manage-kubernetes-instance-types`: instance types can be made in the cluster, too";
    }

    section "The file of `az ml compute attach`" needs "services" {
        Refusal COMPUTE_FILE_UNREADABLE = "compute_file.unreadable": "the file can be read, as text of at most 1 MiB",
            broken by "a missing file, a folder",
            remedy "give the path of a YAML or JSON file that this program may read",
            source "`reference-yaml-compute-kubernetes`; the limit is of this crate";
        Refusal COMPUTE_FILE_SYNTAX = "compute_file.syntax": "the file holds an object, in YAML or JSON, with each key once",
            broken by "a list, an empty file, a key that is there twice",
            remedy "correct it at the line that the message names",
            source "this crate";
        Refusal COMPUTE_FILE_TYPE = "compute_file.type": "a member of the file has its documented type",
            broken by "`properties: { instanceTypes: [] }`",
            remedy "write the type that the message names, or leave it out",
            source "`reference-yaml-compute-kubernetes`; `azure-ai-ml` 1.35.2";
        Refusal COMPUTE_FILE_KIND = "compute_file.kind": "the file is for a compute of the type `kubernetes`",
            broken by "`type: amlcompute`, or no type",
            remedy "write `type: kubernetes`",
            source "required by `reference-yaml-compute-kubernetes`";
        Refusal COMPUTE_FILE_IDENTITY = "compute_file.identity": "the identity of the file is system-assigned, one user-assigned identity, or none",
            broken by "`identity: { type: user_assigned }`",
            remedy "write `type: system_assigned`, or `type: user_assigned` with one identity",
            source "`reference-yaml-compute-kubernetes`: not both at the same time; the service uses the first identity alone";
        Advice COMPUTE_FILE_UNKNOWN_KEY = "compute_file.unknown_key": "this crate reads every key of the file",
            broken by "`namspace: scoring`",
            remedy "correct its spelling, or remove it",
            source "this crate";
    }
}

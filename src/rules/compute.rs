//! Rules for computes.

use super::{Advice, Refusal, Unchecked, registry};

registry! {
    section "Names of computes" {
        Refusal NAME_LENGTH = "name.length": "a compute name has 3 to 24 characters",
            broken by "`ab`",
            remedy "choose 3 to 24 characters; the message suggests a name",
            source "docs 2020-10, `v1/how-to-create-attach-kubernetes`, ARM pattern since 2025-12-01";
        Refusal NAME_CHARACTERS = "name.characters": "a compute name has ASCII letters, digits and `-` only",
            broken by "`my_aks`",
            remedy "use letters, digits and hyphens",
            source "docs 2020-10, `v1/how-to-create-attach-kubernetes`, ARM pattern since 2025-12-01";
        Refusal NAME_START = "name.start": "a compute name starts with a letter",
            broken by "`1aks`",
            remedy "begin with a letter",
            source "docs 2020-10, `v1/how-to-create-attach-kubernetes`, ARM pattern since 2025-12-01";
        Refusal NAME_END = "name.end": "a compute name ends with a letter or a digit",
            broken by "`aks-`",
            remedy "drop the hyphen",
            source "docs 2020-10; the ARM pattern alone would allow it";
        Refusal NAME_ENDS_IN_DASH_DIGITS = "name.ends_in_dash_digits": "a compute name does not end with `-` and digits",
            broken by "`aks-01`",
            remedy "write `aks01`, or `aks-01x`",
            source "ARM pattern since 2025-12-01: a warning where the workspace has an earlier API version";
        Refusal NAME_RESERVED = "name.reserved": "a compute name is not one of the reserved words",
            broken by "`local`, `AmlCompute`",
            remedy "choose another name",
            source "`azureml-core` 1.61, which compares the words exactly; this crate ignores case";
    }

    section "Names in resource ids" {
        Refusal SEGMENT_EMPTY = "segment.empty": "a name that becomes part of a resource id is not empty",
            broken by r#"`""` as the subscription id"#,
            remedy "give the name",
            source "the path of every request";
        Refusal SEGMENT_CHARACTERS = "segment.characters": "a name that becomes part of a resource id leaves the path as it is",
            broken by "`mygroup/..`",
            remedy "give the name alone, without white space, slashes, `?`, `#` and `%`; `.` and `..` are refused too",
            source "the path of every request";
        Refusal CLUSTER_NAME = "cluster.name": "the name of an AKS cluster has 1 to 63 letters, digits, `-` and `_`, with a letter or digit at both ends",
            broken by "`-cluster`",
            remedy "give the name that `az aks list` shows; for a new cluster, choose a name of this form",
            source "`Microsoft.ContainerService` 2019-10-01, `resourceName`";
        Refusal RESOURCE_ID_SHAPE = "resource_id.shape": "a resource id names subscription, resource group, provider and resource, and no more",
            broken by "`mycluster`",
            remedy "give the full id, as `az aks show --query id` prints it",
            source "ARM ids; `azureml-core` 1.61 checks the same, but compares case too";
        Refusal RESOURCE_ID_TYPE = "resource_id.type": "a resource id is of the type that the field asks for",
            broken by "the id of a virtual machine, as the cluster",
            remedy "give the id of a resource of that type: of a cluster, a subnet or an identity",
            source "ARM ids; `azureml-core` 1.61 checks the same, but compares case too";
    }

    section "Size, place and capacity" {
        Refusal PURPOSE_EMPTY = "purpose.empty": "a cluster purpose is not empty",
            broken by r#"`""`"#,
            remedy "leave the purpose out, or name one",
            source "the service defines no empty value";
        Refusal VM_SIZE_EMPTY = "vm_size.empty": "a virtual machine size is not empty",
            broken by r#"`""`"#,
            remedy "leave the size out, or name one",
            source "the service defines no empty value";
        Refusal LOCATION_EMPTY = "location.empty": "a location is not empty",
            broken by r#"`""`"#,
            remedy "leave the location out, or name a region",
            source "the service defines no empty value";
        Refusal AGENT_COUNT_ZERO = "agent_count.zero": "a cluster has at least one node",
            broken by "`0`",
            remedy "leave the count out, or give one",
            source "`azureml-core` 1.61 drops a zero silently; the type index allows it";
        Refusal CAPACITY_PRODUCTION_MINIMUM = "capacity.production_minimum": "a production cluster of a known size has at least 12 vCPUs over all nodes",
            broken by "3 nodes of `Standard_D2_v2`",
            remedy "use more nodes, a larger size, or `DevTest`",
            source "articles of 2019-09 and 2020-10; sizes from `ListVMSizesResult.json` 2019-11-01 and the naming convention of sizes";
        Unchecked CAPACITY_NOT_CHECKED = "capacity.not_checked": "the vCPUs of a virtual machine size are known",
            broken by "3 nodes of `Standard_D99_v2`",
            remedy "run the preflight, which asks the region, or multiply the vCPUs of the size by the number of nodes",
            source "this crate: sizes are an open set";
        Advice CAPACITY_PRODUCTION_NODES = "capacity.production_nodes": "a production cluster has at least three nodes",
            broken by "2 nodes of `Standard_D4_v2`",
            remedy "use three nodes or more",
            source "`v1/how-to-create-attach-kubernetes`, 2022-04; earlier pages ask for vCPUs only";
        Advice CAPACITY_DEV_TEST_MINIMUM = "capacity.dev_test_minimum": "a cluster for development and tests has at least 2 vCPUs",
            broken by "1 node of `Standard_D1_v2`, `DevTest`",
            remedy "use a larger size or a second node",
            source "recommended in the documentation, not required";
    }

    section "Clusters of your own" {
        Refusal CLUSTER_EMPTY = "cluster.empty": "a setting of a cluster that is given is not empty",
            broken by r#"`""` as the version of Kubernetes"#,
            remedy "give a value, or leave the setting out",
            source "this crate; `azure-cli` sends empty texts where nothing was given";
        Refusal CLUSTER_OUTBOUND_SUBNET = "cluster.outbound_needs_subnet": "an outbound type through routes, or through a NAT gateway of your own, comes with a subnet",
            broken by "`userDefinedRouting` alone",
            remedy "give the subnet",
            source "article of 2020-10: a user-defined route is that of a network; `Microsoft.ContainerService` 2026-05-01: without a subnet AKS makes the network";
        Refusal CLUSTER_RANGES_LOAD_BALANCER = "cluster.authorized_ranges.load_balancer": "authorised ranges come with the standard load balancer",
            broken by "authorised ranges and the basic load balancer",
            remedy "take the standard load balancer",
            source "article of 2020-10; `Microsoft.ContainerService` 2026-05-01, `authorizedIPRanges`";
        Refusal CLUSTER_RANGES_SYNTAX = "cluster.authorized_ranges.syntax": "an authorised range is an address, or a range in CIDR notation",
            broken by "`203.0.113.0/33`, `everybody`",
            remedy "write `203.0.113.0/24`",
            source "`Microsoft.ContainerService` 2026-05-01, `authorizedIPRanges`";
        Advice CLUSTER_BASIC_LOAD_BALANCER = "cluster.load_balancer.basic": "the load balancer is the standard one",
            broken by "the basic load balancer",
            remedy "leave it out",
            source "Azure retirements: the basic load balancer, 2025-09-30";
        Advice CLUSTER_DOCKER_BRIDGE = "cluster.docker_bridge": "the network of a cluster of your own has no Docker bridge range",
            broken by "`172.17.0.1/16` in a `ManagedClusterConfiguration`",
            remedy "leave it out",
            source "`Microsoft.ContainerService` 2026-05-01 has no such member";
        Advice CLUSTER_PRIVATE_PUBLIC_FQDN = "cluster.private_public_fqdn": "a private cluster that is to be attached has no public name",
            broken by "`private_cluster_with_public_fqdn()`",
            remedy "call `private_cluster()`",
            source "`v1/how-to-create-attach-kubernetes`";
        Advice CLUSTER_LOCAL_ACCOUNTS = "cluster.local_accounts": "a cluster that is to be attached has local accounts",
            broken by "`local_accounts(false)`",
            remedy "leave local accounts on",
            source "`how-to-attach-kubernetes-anywhere`: local accounts, or Trusted Access, which does not help computes of kind AKS";
    }

    section "Node pools" {
        Refusal POOL_NAME = "pool.name": "the name of a node pool has 1 to 12 lower-case letters and digits, and begins with a letter",
            broken by "`Pool`, `1pool`",
            remedy "choose another name",
            source "`Microsoft.ContainerService` 2026-05-01, `name` of an agent pool";
        Refusal POOL_NODES = "pool.nodes": "a node pool has at most 1000 nodes",
            broken by "`1001`",
            remedy "give fewer, or add a node pool",
            source "`Microsoft.ContainerService` 2026-05-01, `count`: 0 to 1000 for user pools, 1 to 1000 for system pools";
        Refusal POOL_SYSTEM = "pool.system_nodes": "a system pool has at least one node",
            broken by "`0`",
            remedy "give 1 or more; only a user pool can be scaled to no node",
            source "`Microsoft.ContainerService` 2026-05-01, `count`";
        Refusal POOL_BOUNDS = "pool.bounds": "the bounds of the autoscaler are from 1 to 1000, the lower one first; the lower one of a user pool may be 0",
            broken by "5 to 1",
            remedy "give bounds such as `3..=10`",
            source "`azure-cli` 2.91: the lower bound is not above the upper one; `Microsoft.ContainerService` 2026-05-01, `count`";
    }

    section "Networks" {
        Refusal NETWORK_RANGE_MISSING = "network.range_missing": "a network comes with the service range, the DNS address and the Docker bridge range",
            broken by r#"`VirtualNetwork::new("g", "n", "s")` alone"#,
            remedy "set all three",
            source "type index: Microsoft's Python client asks for them together";
        Refusal NETWORK_SERVICE_CIDR_SYNTAX = "network.service_cidr.syntax": "the service range is an IPv4 range in CIDR notation",
            broken by "`10.0.0.0`, `10.0.0.0/33`, `fd00::/108`",
            remedy "write `10.0.0.0/16`",
            source "type index (IPv4 only); this crate requires the length, since one address makes no range";
        Advice NETWORK_SERVICE_CIDR_HOST_BITS = "network.service_cidr.host_bits": "the service range is written with its first address",
            broken by "`10.0.0.5/16`",
            remedy "write `10.0.0.0/16`",
            source "this crate: host bits are most likely a mistake";
        Advice NETWORK_SERVICE_CIDR_SIZE = "network.service_cidr.size": "the service range is smaller than /12",
            broken by "`10.0.0.0/8`",
            remedy "choose a /16, for example",
            source r#"AKS documentation, "Configure Azure CNI networking""#;
        Advice NETWORK_SERVICE_CIDR_RESERVED = "network.service_cidr.reserved": "the service range lies outside the ranges that AKS reserves",
            broken by "`172.30.0.0/16`",
            remedy "choose another range",
            source r#"AKS documentation, "Configure Azure CNI networking": 169.254.0.0/16, 172.30.0.0/16, 172.31.0.0/16, 192.0.2.0/24"#;
        Refusal NETWORK_DNS_IP_SYNTAX = "network.dns_ip.syntax": "the DNS address is an IPv4 address",
            broken by "`10.0.0.256`",
            remedy "write four numbers from 0 to 255",
            source "type index";
        Refusal NETWORK_DNS_IP_OUTSIDE_SERVICE_CIDR = "network.dns_ip.outside_service_cidr": "the DNS address lies inside the service range",
            broken by "`10.1.0.10` for 10.0.0.0/16",
            remedy "choose an address inside",
            source "type index";
        Refusal NETWORK_DNS_IP_FIRST_ADDRESS = "network.dns_ip.first_address": "the DNS address is not the first address of the service range",
            broken by "`10.0.0.1` and `10.0.0.0` for 10.0.0.0/16",
            remedy "choose a later one, for example `10.0.0.10`",
            source "AKS documentation: the first address belongs to `kubernetes.default.svc.cluster.local`";
        Refusal NETWORK_BRIDGE_CIDR_SYNTAX = "network.bridge_cidr.syntax": "the Docker bridge range is an IPv4 range in CIDR notation",
            broken by "`172.17.0.1`",
            remedy "write `172.17.0.1/16`; the address of the bridge is kept",
            source "type index; this crate requires the length";
        Refusal NETWORK_BRIDGE_CIDR_OVERLAP = "network.bridge_cidr.overlaps_service_cidr": "the Docker bridge range lies apart from the service range",
            broken by "`10.0.3.1/24` for 10.0.0.0/16",
            remedy "choose a range apart from the service range",
            source "type index";
        Refusal LOAD_BALANCER_SUBNET_EMPTY = "load_balancer.subnet_empty": "the subnet of an internal load balancer is not empty",
            broken by r#"`""`"#,
            remedy "name the subnet, or leave the choice to the service",
            source "a subnet has a name";
    }

    section "Tags" {
        Refusal TAGS_NAME = "tags.name": "a tag name has 1 to 512 characters, without those that Azure refuses",
            broken by r#"`a/b`, `""`"#,
            remedy "choose another name",
            source r#"ARM documentation, "Use tags": none of `<>%&\?/`"#;
        Refusal TAGS_VALUE = "tags.value": "a tag value has at most 256 characters",
            broken by "257 characters",
            remedy "shorten the value",
            source r#"ARM documentation, "Use tags""#;
        Refusal TAGS_COUNT = "tags.count": "a resource has at most 50 tags",
            broken by "51 tags",
            remedy "leave some out",
            source r#"ARM documentation, "Use tags""#;
    }

    section "Updates of a compute" {
        Refusal UPDATE_NOTHING = "update.nothing": "an update changes something",
            broken by "`UpdateConfiguration::builder().build()`",
            remedy "give a change",
            source "`azureml-core` 1.61 sends such an update";
        Refusal UPDATE_RENEW_WITHOUT_LABEL = "update.renew_without_leaf_domain": "a renewal needs a compute that has a leaf domain label",
            broken by "renewal of a cluster with its own certificate",
            remedy "enable TLS instead",
            source "`how-to-secure-web-service`, 2021-03";
        Refusal UPDATE_CURRENT = "update.current_resource": "an update starts from a compute as the service describes it",
            broken by "a compute without `properties`",
            remedy "read the compute again",
            source "this crate";
    }
}

//! The answers of the server: documents and headers in the manner of ARM.

use serde_json::json;

/// How many computes a page of a list holds.
pub(crate) const PAGE: usize = 1_000;

/// One compute that is ready, about 1.6 kB.
pub(crate) fn compute(name: &str) -> String {
    compute_of("recommendations", name, "Succeeded")
}

/// One compute of a workspace, in this state.
pub(crate) fn compute_of(workspace: &str, name: &str, state: &str) -> String {
    const GROUPS: &str = "/subscriptions/6f3a7f2c-51b0-4c0e-9f8e-2d1c6a5b4e30/resourceGroups";
    let compute = json!({
        "id": format!(
            "{GROUPS}/machine-learning/providers/Microsoft.MachineLearningServices/workspaces/\
             {workspace}/computes/{name}"
        ),
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "location": "westeurope",
        "tags": {"team": "recommendations", "cost-center": "4711"},
        "properties": {
            "computeType": "AKS",
            "computeLocation": "westeurope",
            "description": "Scoring of the shop's front page",
            "createdOn": "2026-03-02T09:41:17.2468023+00:00",
            "modifiedOn": "2026-03-02T09:58:02.1937465+00:00",
            "resourceId": format!(
                "{GROUPS}/machine-learning/providers/Microsoft.ContainerService/managedClusters/{name}"
            ),
            "isAttachedCompute": false,
            "disableLocalAuth": null,
            "provisioningErrors": null,
            "provisioningState": state,
            "properties": {
                "clusterFqdn": format!("{name}-5e0f2a.hcp.westeurope.azmk8s.io"),
                "systemServices": [
                    {
                        "systemServiceType": "ScoringFrontEnd",
                        "publicIpAddress": "20.61.114.201",
                        "version": "1.0.3418.2"
                    },
                    {
                        "systemServiceType": "KubernetesManager",
                        "publicIpAddress": null,
                        "version": "1.0.3418.2"
                    }
                ],
                "agentCount": 3,
                "agentVmSize": "Standard_D3_v2",
                "clusterPurpose": "DenseProd",
                "sslConfiguration": {"status": "Disabled", "cname": null},
                "aksNetworkingConfiguration": {
                    "subnetId": format!(
                        "{GROUPS}/network/providers/Microsoft.Network/virtualNetworks/spoke/\
                         subnets/scoring"
                    ),
                    "serviceCidr": "10.0.0.0/16",
                    "dnsServiceIP": "10.0.0.10",
                    "dockerBridgeCidr": "172.17.0.1/16"
                },
                "loadBalancerType": "PublicIp",
                "loadBalancerSubnet": null
            }
        }
    });
    compute.to_string()
}

/// The items of a page, without the brackets around them.
pub(crate) fn items(count: usize) -> String {
    let items: Vec<String> = (0..count)
        .map(|number| compute(&format!("scoring-{number:05}")))
        .collect();
    items.join(",")
}

/// The head of an answer: 15 headers.
pub(crate) fn head(length: usize) -> String {
    head_with("200 OK", length, "")
}

/// The head of an answer of this status, with more headers in front of the 15, each with the end of
/// its line.
pub(crate) fn head_with(status: &str, length: usize, more: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{more}\
         Cache-Control: no-cache\r\n\
         Pragma: no-cache\r\n\
         Content-Length: {length}\r\n\
         Content-Type: application/json; charset=utf-8\r\n\
         Expires: -1\r\n\
         Vary: Accept-Encoding\r\n\
         x-ms-ratelimit-remaining-subscription-reads: 11999\r\n\
         x-ms-request-id: 0c1d5cf6-3d0e-4b3c-b3f8-9c8e4d7d4b0a\r\n\
         x-ms-correlation-request-id: 7f9c4f37-2f55-4f0d-9b7d-5cb1e59b5d62\r\n\
         x-ms-routing-request-id: WESTEUROPE:20260302T101500Z:7f9c4f37-2f55-4f0d-9b7d-5cb1e59b5d62\r\n\
         x-ms-response-type: standard\r\n\
         x-request-time: 0.043\r\n\
         Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n\
         X-Content-Type-Options: nosniff\r\n\
         Date: Mon, 02 Mar 2026 10:15:00 GMT\r\n\r\n"
    )
}

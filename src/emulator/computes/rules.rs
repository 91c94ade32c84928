//! The checks of computes beyond types: cores, networks, certificates, load balancers.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde_json::{Map, Value, json};

use crate::emulator::error::ArmError;
use crate::emulator::names;
use crate::emulator::state::Config;

/// Production clusters need this many cores (the articles: "at least 12 vCPU"; the service's
/// refusal speaks of cores).
const PRODUCTION_CORES: u64 = 12;

/// The subnet of an internal load balancer when none is named (`azureml-core`, command line).
const DEFAULT_SUBNET: &str = "aks-subnet";

/// Checks that a cluster is large enough for its purpose.
pub(crate) fn check_cores(
    config: &Config,
    purpose: &str,
    nodes: u64,
    size: &str,
) -> Result<(), ArmError> {
    let known = config.size(size).ok_or_else(|| {
        ArmError::new(
            400,
            "InvalidVmSize",
            format!(
                "The VM size '{size}' is not available. The emulator knows a fixed list, to which \
                 its builder's `vm_size` adds."
            ),
        )
    })?;
    if nodes == 0 {
        return Err(ArmError::bad_request("agentCount must be at least 1."));
    }
    let cores = nodes * u64::from(known.cores);
    if purpose != "DevTest" && cores < PRODUCTION_CORES {
        return Err(ArmError::bad_request(format!(
            "A cluster with purpose {purpose} must have at least {PRODUCTION_CORES} cores: {nodes} \
             x {size} have {cores}. Use more or larger machines, or purpose DevTest."
        )));
    }
    Ok(())
}

/// Checks an `aksNetworkingConfiguration`: its four values belong together.
pub(crate) fn check_network(network: &Map<String, Value>) -> Result<(), ArmError> {
    let get = |key: &str| {
        network.get(key).and_then(Value::as_str).ok_or_else(|| {
            ArmError::bad_request(format!(
                "aksNetworkingConfiguration needs all of subnetId, serviceCidr, dnsServiceIP and \
                 dockerBridgeCidr; {key} is missing."
            ))
        })
    };
    let (subnet, service, dns, bridge) = (
        get("subnetId")?,
        get("serviceCidr")?,
        get("dnsServiceIP")?,
        get("dockerBridgeCidr")?,
    );
    if !names::is_subnet_id(subnet) {
        return Err(ArmError::bad_request(format!(
            "subnetId '{subnet}' is not the id of a subnet."
        )));
    }
    let net = |key: &str, value: &str| {
        value.parse::<Ipv4Net>().map_err(|_| {
            ArmError::bad_request(format!(
                "{key} '{value}' is not an IPv4 range in CIDR notation."
            ))
        })
    };
    let service_net = net("serviceCidr", service)?;
    let bridge_net = net("dockerBridgeCidr", bridge)?;
    let address: Ipv4Addr = dns.parse().map_err(|_| {
        ArmError::bad_request(format!("dnsServiceIP '{dns}' is not an IPv4 address."))
    })?;
    if !service_net.contains(&address) {
        return Err(ArmError::bad_request(format!(
            "dnsServiceIP {dns} must lie within serviceCidr {service}."
        )));
    }
    let first = u32::from(service_net.network())
        .checked_add(1)
        .map(Ipv4Addr::from);
    if address == service_net.network() || Some(address) == first {
        return Err(ArmError::bad_request(format!(
            "dnsServiceIP {dns} must not be the first address of serviceCidr {service}."
        )));
    }
    if service_net.contains(&bridge_net.network()) || bridge_net.contains(&service_net.network()) {
        return Err(ArmError::bad_request(format!(
            "dockerBridgeCidr {bridge} must not overlap serviceCidr {service}."
        )));
    }
    Ok(())
}

/// Returns the new load balancer: what is not given is kept.
pub(crate) fn load_balancer(
    before: &Value,
    given: &Map<String, Value>,
) -> Result<(Value, Value), ArmError> {
    let kind = given
        .get("loadBalancerType")
        .unwrap_or(&before["loadBalancerType"])
        .as_str()
        .unwrap_or("PublicIp");
    let subnet = given.get("loadBalancerSubnet").and_then(Value::as_str);
    if kind == "PublicIp" {
        return match subnet {
            None => Ok((json!(kind), Value::Null)),
            Some(_) => Err(ArmError::bad_request(
                "loadBalancerSubnet belongs to the load balancer type InternalLoadBalancer.",
            )),
        };
    }
    let kept = before["loadBalancerSubnet"].as_str();
    Ok((
        json!(kind),
        json!(subnet.or(kept).unwrap_or(DEFAULT_SUBNET)),
    ))
}

/// Returns the new TLS settings: what is not given is kept. `suffix` are six characters for a new name.
///
/// Certificate and key are never kept, so that they cannot be read back.
pub(crate) fn ssl(
    before: &Value,
    given: Option<&Map<String, Value>>,
    load_balancer: &Value,
    location: &str,
    suffix: &str,
) -> Result<Value, ArmError> {
    let Some(given) = given else {
        return check_combination(before.clone(), load_balancer);
    };
    let text = |key: &str| {
        given
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let flag = |key: &str| given.get(key).and_then(Value::as_bool).unwrap_or_default();
    let refuse = |message: &str| {
        Err(ArmError::bad_request(format!(
            "sslConfiguration: {message}"
        )))
    };
    let status = text("status");
    // What a GET gave comes back: the name that is in effect, and neither certificate nor key.
    let is_in_effect = ["status", "cname", "leafDomainLabel"]
        .iter()
        .all(|key| text(key) == before[*key].as_str());
    if is_in_effect && text("cname").is_some() && !flag("renew") && text("cert").is_none() {
        let mut kept = before.clone();
        if let Some(overwrite) = given.get("overwriteExistingDomain") {
            kept["overwriteExistingDomain"] = overwrite.clone();
        }
        return check_combination(kept, load_balancer);
    }
    if flag("renew") && !(status == Some("Auto") && before["status"] == "Auto") {
        return refuse("renew needs a configuration with a leaf domain label to be in effect.");
    }
    let after = match status {
        None => return refuse("status is missing."),
        Some("Disabled") => {
            if ["cert", "key", "cname", "leafDomainLabel"]
                .iter()
                .any(|key| text(key).is_some())
            {
                return refuse("status Disabled goes with no other value.");
            }
            json!({ "status": "Disabled" })
        }
        Some("Enabled") => {
            let (Some(cname), Some(cert), Some(key)) = (text("cname"), text("cert"), text("key"))
            else {
                return refuse("status Enabled needs cname, cert and key.");
            };
            if text("leafDomainLabel").is_some() {
                return refuse("leafDomainLabel goes with status Auto.");
            }
            if !cert.contains("-----BEGIN CERTIFICATE-----") {
                return refuse("cert is not a certificate in PEM form.");
            }
            if !(key.contains("-----BEGIN ") && key.contains("PRIVATE KEY-----")) {
                return refuse("key is not a private key in PEM form.");
            }
            json!({ "status": "Enabled", "cname": cname })
        }
        Some(_) => {
            let Some(label) = text("leafDomainLabel") else {
                return refuse("status Auto needs leafDomainLabel.");
            };
            if text("cert").is_some() || text("key").is_some() {
                return refuse("cert and key go with status Enabled.");
            }
            // A client that puts back what it has read sends the name that is in effect.
            if text("cname").is_some_and(|cname| before["cname"].as_str() != Some(cname)) {
                return refuse("cname is chosen by the service when status is Auto.");
            }
            if !names::is_leaf_label(label) {
                return refuse("leafDomainLabel is not a DNS label in lower case.");
            }
            let overwrite = flag("overwriteExistingDomain");
            // The article on TLS: with the same label and `overwriteExistingDomain` the name stays.
            let kept = before["cname"].as_str().filter(|_| {
                overwrite && before["status"] == "Auto" && before["leafDomainLabel"] == label
            });
            let region = names::region(location);
            let cname = kept.map_or_else(
                || format!("{label}{suffix}.{region}.cloudapp.azure.com"),
                str::to_owned,
            );
            json!({
                "status": "Auto",
                "cname": cname,
                "leafDomainLabel": label,
                "overwriteExistingDomain": overwrite,
            })
        }
    };
    check_combination(with_every_key(after), load_balancer)
}

/// TLS off, with the keys that `azureml-core` looks for.
pub(crate) fn no_ssl() -> Value {
    with_every_key(json!({ "status": "Disabled" }))
}

fn with_every_key(mut ssl: Value) -> Value {
    for key in [
        "cert",
        "key",
        "cname",
        "leafDomainLabel",
        "overwriteExistingDomain",
    ] {
        if ssl.get(key).is_none() {
            ssl[key] = Value::Null;
        }
    }
    ssl
}

/// A leaf domain label needs a public address.
fn check_combination(ssl: Value, load_balancer: &Value) -> Result<Value, ArmError> {
    if ssl["status"] == "Auto" && load_balancer == "InternalLoadBalancer" {
        return Err(ArmError::bad_request(
            "A leaf domain label is not supported with an internal load balancer.",
        ));
    }
    Ok(ssl)
}

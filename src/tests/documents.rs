//! The members that documents of resources keep, and those that they drop.

#![allow(
    clippy::print_stderr,
    reason = "the helper says when a test is skipped"
)]

use crate::error::Hidden;
use crate::facts::secrets::{SECRET_MEMBERS, SecretMember};
use crate::json::{Item, Page};
use crate::models::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::fmt::Debug;

#[allow(dead_code, reason = "the tests on the wire use the rest")]
#[path = "../../tests/support/recordings.rs"]
mod recordings;
use recordings::Cassette;

const CANARY: &str = "c4n4ry";

/// Everything that a resource writes, through every serializer, and shows.
fn written<T: Serialize + Debug>(resource: &T) -> Vec<String> {
    vec![
        serde_json::to_string(resource).unwrap(),
        serde_json::to_string_pretty(resource).unwrap(),
        serde_json::to_value(resource).unwrap().to_string(),
        #[cfg(feature = "services")]
        yaml_serde::to_string(resource).unwrap(),
        format!("{resource:?} {resource:#?}"),
    ]
}

/// Everything that is written of a document, whatever resource it is read as, alone and in a list.
fn written_of(text: &str) -> Vec<String> {
    fn both<T: DeserializeOwned + Item + Serialize + Debug + PartialEq>(text: &str) -> Vec<String> {
        let alone: T = serde_json::from_str(text).unwrap();
        let page = format!(r#"{{"value":[{text},{text}]}}"#);
        let page: Page<T> = Page::read(page.as_bytes()).unwrap();
        assert!(page.value.iter().all(|item| *item == alone), "{text}");
        let value: Value = serde_json::from_str(text).unwrap();
        let from_value: T = serde_json::from_value(value).unwrap();
        [written(&alone), written(&from_value)].concat()
    }
    #[cfg(feature = "services")]
    {
        [
            both::<ComputeResource>(text),
            both::<ModelResource>(text),
            both::<ServiceResource>(text),
        ]
        .concat()
    }
    #[cfg(not(feature = "services"))]
    both::<ComputeResource>(text)
}

/// A name in the ways in which JSON can spell it.
fn spellings(name: &str) -> Vec<String> {
    let escaped: String = name
        .chars()
        .map(|c| format!("\\u{:04x}", c as u32))
        .collect();
    let (first, rest) = name.split_at(1);
    vec![
        name.to_owned(),
        name.to_uppercase(),
        name.to_lowercase(),
        escaped,
        format!("\\u{:04X}{rest}", first.as_bytes()[0]),
        format!("{first}{}", rest.replacen('e', "\\u0065", 1)),
    ]
}

/// Values of a secret member.
fn values() -> [String; 3] {
    [
        format!("\"{CANARY}\""),
        format!(r#"{{"a":["{CANARY}"],"b":null}}"#),
        format!(r#"["{CANARY}",{{"password":1}}]"#),
    ]
}

fn spelled(member: &SecretMember, spelling: usize, value: &str) -> String {
    let text = format!(r#""{}" : {value}"#, spellings(member.name)[spelling]);
    match member.parent {
        None => text,
        Some(parent) => {
            let parent = &spellings(parent)[spelling];
            format!(r#""{parent}":{{"x":1,{text},"y":2}}"#)
        }
    }
}

/// Documents that hold these members in different places.
fn places(members: &str) -> [String; 7] {
    [
        format!(r#"{{{members},"name":"n"}}"#),
        format!(r#"{{"name":"n","kept":1,{members}}}"#),
        format!(
            r#"{{"name":"n","properties":{{"computeType":"X","properties":{{{members},"kept":1}}}}}}"#
        ),
        format!(
            r#"{{"name":"n","properties":{{"properties":{{"kept":1,{members}}},"computeType":"X"}}}}"#
        ),
        format!(
            r#"{{"name":"n","properties":{{{members}}},"identity":{{{members}}},"systemData":{{{members}}}}}"#
        ),
        format!(
            r#"{{"name":"n","new":[[{{"deep":{{{members}}}}}]],"kvTags":{{{members}}},"tags":{{{members}}}}}"#
        ),
        format!(
            r#"{{"name":"n","models":[{{"name":"m",{members}}}],"environmentImageRequest":{{"a":{{{members}}}}}}}"#
        ),
    ]
}

#[test]
fn secret_members_are_written_nowhere_wherever_and_however_they_stand() {
    for spelling in 0..spellings("name").len() {
        for value in values() {
            let members = SECRET_MEMBERS.iter();
            let members: Vec<String> = members
                .map(|member| spelled(member, spelling, &value))
                .collect();
            for text in places(&members.join(",")) {
                for written in written_of(&text) {
                    assert!(!written.contains(CANARY), "{text} -> {written}");
                }
            }
        }
    }
}

#[test]
fn each_secret_member_is_found_where_it_stands_alone() {
    for member in SECRET_MEMBERS {
        for spelling in 0..spellings("name").len() {
            for text in places(&spelled(member, spelling, &values()[0])) {
                let compute: ComputeResource = serde_json::from_str(&text).unwrap();
                let written = serde_json::to_string(&compute).unwrap();
                assert!(!written.contains(CANARY), "{text} -> {written}");
                assert!(written.contains(r#""name":"n""#), "{text} -> {written}");
            }
        }
    }
}

#[test]
fn members_of_a_kind_are_read_without_secrets() {
    for text in [
        r#"{"name":"n","properties":{"properties":{"administratorAccount":{"password":"c4n4ry"},"a":1},"computeType":"X"}}"#,
        r#"{"name":"n","properties":{"computeType":"X","properties":{"a":1,"administratorAccount":{"Password":"c4n4ry"}}}}"#,
    ] {
        let page: Page<ComputeResource> =
            Page::read(format!(r#"{{"value":[{text}]}}"#).as_bytes()).unwrap();
        let alone: ComputeResource = serde_json::from_str(text).unwrap();
        for compute in [alone, page.value[0].clone()] {
            let kind: Value = compute.kind_properties();
            assert_eq!(
                kind,
                json!({ "a": 1, "administratorAccount": {} }),
                "{text}"
            );
        }
    }
}

#[test]
fn members_that_only_resemble_secret_ones_are_kept() {
    let text = concat!(
        r#"{"name":"n","key":"k","cert":"c","tags":{"key":"v"},"password":null,"passwordPolicy":"p","#,
        r#""sslConfiguration":{"status":"Enabled","cert":null,"key":null,"keyVault":"v"},"#,
        r#""other":{"sslConfiguration":{"inner":{"key":1}}},"text":"\"password\":\"x\""}"#
    );
    let compute: ComputeResource = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&compute).unwrap(), text);
    assert_eq!(compute.tags["key"], "v");
}

#[test]
fn rest_of_a_document_with_secrets_keeps_its_order_and_text() {
    let text = r#"{ "name": "n", "b": [1.50, {"password": "x"}, -2],
        "password": "x", "a": {"primaryKey": "x", "z": 100.0, "secondaryKey": "y"}, "e": {}, "l": [ ] }"#;
    let compute: ComputeResource = serde_json::from_str(text).unwrap();
    let left = r#"{"name":"n","b":[1.5,{},-2],"a":{"z":100.0},"e":{},"l":[]}"#;
    assert_eq!(serde_json::to_string(&compute).unwrap(), left);
}

/// The text without white space outside of strings.
fn compact(text: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    let mut kept = String::new();
    for c in text.chars() {
        if inside || !c.is_ascii_whitespace() {
            kept.push(c);
        }
        inside ^= c == '"' && !escaped;
        escaped = inside && c == '\\' && !escaped;
    }
    kept
}

/// Asserts that a resource is written as it came, through every serializer.
fn assert_kept<T: DeserializeOwned + Serialize + Debug>(text: &str) {
    let resource: T = serde_json::from_str(text).unwrap();
    let kept = serde_json::to_string(&resource).unwrap();
    assert_eq!(kept, compact(text));
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_value(&resource).unwrap(), value);
    let from_value: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(&from_value).unwrap(), value);
    let from_slice: T = serde_json::from_slice(text.as_bytes()).unwrap();
    assert_eq!(serde_json::to_string(&from_slice).unwrap(), kept);
    #[cfg(feature = "services")]
    {
        let yaml = yaml_serde::to_string(&resource).unwrap();
        let read: Value = yaml_serde::from_str(&yaml).unwrap();
        assert_eq!(read, value, "{yaml}");
    }
}

#[test]
fn documents_are_written_as_they_came() {
    for text in [
        "{}",
        r#"{"z":null,"name":"n","a":[],"m":{},"b":[[],{},[{"c":[1,2,3]}]]}"#,
        r#"{"name":"n","n":[0,-1,18446744073709551615,-9223372036854775808,0.1,-2.5e-7,100.0,9007199254740993]}"#,
        // serde_json by itself reads the first of these a little too low.
        r#"{"name":"n","f":[5e-324,1.7976931348623157e+308,0.30000000000000004,33.333333333333336]}"#,
        r#"{"name":"é \" \\ \n","properties":{"properties":{"x":"\t"},"computeType":"X","y":true,"z":false}}"#,
    ] {
        assert_kept::<ComputeResource>(text);
        #[cfg(feature = "services")]
        {
            assert_kept::<ModelResource>(&text.replace("properties", "details"));
            assert_kept::<ServiceResource>(&text.replace("properties", "details"));
        }
    }
}

#[test]
fn numbers_that_a_target_cannot_hold_are_still_written() {
    let text = r#"{"name":"n","e":1E2,"big":1e999,"long":123456789012345678901,"half":"\ud800x","zero":-0,"u":"\u0041"}"#;
    let compute: ComputeResource = serde_json::from_str(text).unwrap();
    let written = serde_json::to_string(&compute).unwrap();
    assert_eq!(
        written,
        r#"{"name":"n","e":100.0,"big":"1e999","long":1.2345678901234568e+20,"half":"\\ud800x","zero":-0.0,"u":"A"}"#
    );
    assert_eq!(
        compute.to_value(),
        serde_json::from_str::<Value>(&written).unwrap()
    );
}

#[test]
fn document_that_is_nested_too_deep_is_refused() {
    let nested = |depth: usize, secret: &str| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"name":"n",{secret}"new":{open}{close}}}"#)
    };
    for secret in ["", r#""password":"x","#] {
        let compute: ComputeResource = serde_json::from_str(&nested(126, secret)).unwrap();
        assert!(compute.to_value()["new"].is_array());
        for depth in [127, 100_000] {
            let text = nested(depth, secret);
            assert!(
                serde_json::from_str::<ComputeResource>(&text).is_err(),
                "{depth}"
            );
            let page = format!(r#"{{"value":[{text}]}}"#);
            assert!(Page::<ComputeResource>::read(page.as_bytes()).is_none());
        }
    }
    // Many brackets are not depth.
    let wide = format!(r#"{{"name":"n","new":[{}[]]}}"#, "[],".repeat(200));
    assert_kept::<ComputeResource>(&wide);
}

#[test]
fn resources_are_read_from_json_only() {
    let yaml: Result<ComputeResource, _> =
        serde::Deserialize::deserialize(serde::de::value::MapDeserializer::<
            _,
            serde::de::value::Error,
        >::new([("name", "n")].into_iter()));
    assert!(yaml.is_err());
}

#[test]
fn members_that_older_versions_dropped_are_readable() {
    let text = |warnings: &str| {
        format!(
            r#"{{"name":"n","type":"T","identity":{{"type":"SystemAssigned","principalId":"p"}},
                "systemData":{{"createdBy":"b"}},"properties":{{"provisioningWarnings":{warnings},
                "provisioningState":" succeeded ","isAttachedCompute":true}}}}"#
        )
    };
    for (warnings, count) in [
        ("null", 0),
        ("{}", 0),
        ("[]", 0),
        ("7", 0),
        (r#"{"code":"C"}"#, 1),
        (r#"[{"code":"C"},null,{},"text"]"#, 2),
    ] {
        let text = text(warnings);
        let compute: ComputeResource = serde_json::from_str(&text).unwrap();
        assert_eq!(compute.resource_type.as_deref(), Some("T"));
        assert_eq!(compute.identity.as_ref().unwrap()["principalId"], "p");
        assert_eq!(compute.system_data.as_ref().unwrap()["createdBy"], "b");
        assert_eq!(
            compute.properties.provisioning_warnings.len(),
            count,
            "{text}"
        );
        assert_eq!(compute.properties.is_attached_compute, Some(true));
        assert_eq!(compute.state(), Some(ComputeState::Succeeded));
        assert_eq!(serde_json::to_string(&compute).unwrap(), compact(&text));
    }
    for none in ["{}", r#"{"properties":{"provisioningState":" "}}"#] {
        let compute: ComputeResource = serde_json::from_str(none).unwrap();
        assert_eq!(compute.state(), None, "{none}");
    }
    for odd in ["1", "[]", "\"x\"", "true", "null"] {
        let text = format!(
            r#"{{"type":{odd},"identity":{odd},"systemData":{odd},"properties":{{"provisioningWarnings":{odd},
                "computeType":"X"}},"name":"n"}}"#
        );
        let compute: ComputeResource = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (
                compute.name.as_str(),
                compute.properties.compute_type.as_str()
            ),
            ("n", "X")
        );
        assert_eq!(serde_json::to_string(&compute).unwrap(), compact(&text));
    }
}

#[test]
fn resources_that_were_not_read_yet_match_their_documents() {
    for kind in [None, Some("AKS")] {
        let made = ComputeResource::named("a\"b", kind);
        let written = serde_json::to_string(&made).unwrap();
        assert_eq!(
            serde_json::from_str::<ComputeResource>(&written).unwrap(),
            made
        );
    }
    let nothing = ComputeResource::default();
    assert_eq!(
        serde_json::from_str::<ComputeResource>("{}").unwrap(),
        nothing
    );
    assert_eq!(nothing.to_value(), json!({}));
    #[cfg(feature = "services")]
    {
        let made = ServiceResource::named("a");
        let written = serde_json::to_string(&made).unwrap();
        assert_eq!(
            serde_json::from_str::<ServiceResource>(&written)
                .unwrap()
                .name,
            "a"
        );
    }
}

#[test]
fn properties_are_written_as_the_service_names_them() {
    let text = r#"{"clusterFqdn":"f","systemServices":[{"systemServiceType":"T","publicIpAddress":null,"version":"1"}],
        "agentCount":3,"agentVmSize":"S","clusterPurpose":"DevTest","sslConfiguration":{"status":"Enabled",
        "cert":"c4n4ry","key":"c4n4ry","cname":"a.b","leafDomainLabel":null,"overwriteExistingDomain":false},
        "aksNetworkingConfiguration":{"subnetId":"s","serviceCidr":"c","dnsServiceIP":"d","dockerBridgeCidr":"b"},
        "loadBalancerType":"PublicIp","loadBalancerSubnet":null}"#;
    let properties: AksProperties = serde_json::from_str(text).unwrap();
    let mut value: Value = serde_json::from_str(text).unwrap();
    let ssl = value["sslConfiguration"].as_object_mut().unwrap();
    ssl.retain(|name, _| !["cert", "key"].contains(&name.as_str()));
    assert_eq!(serde_json::to_value(&properties).unwrap(), value);
}

/// The answers that were recorded, as they stand in the files; items of lists by themselves.
fn recorded() -> Option<Vec<(String, String)>> {
    #[derive(serde::Deserialize)]
    struct List {
        value: Vec<Box<RawValue>>,
    }
    let mut bodies = Vec::new();
    for exchange in recordings::cassettes()?
        .iter()
        .flat_map(Cassette::exchanges)
    {
        let body = String::from_utf8(exchange.body()).unwrap();
        match serde_json::from_str::<List>(&body) {
            Ok(list) => {
                let items = list.value.iter();
                bodies.extend(items.map(|item| (exchange.url.clone(), item.get().to_owned())));
            }
            Err(_) => bodies.push((exchange.url, body)),
        }
    }
    Some(bodies)
}

#[test]
fn recorded_documents_are_written_as_they_came() {
    let Some(bodies) = recorded() else { return };
    let mut computes = 0;
    for (url, text) in &bodies {
        let secret = ["accessToken", "adminUserPassword", "adminUserSshPublicKey"];
        let is_compute = url.contains("/computes");
        if !text.starts_with('{')
            || secret
                .iter()
                .any(|name| text.contains(&format!("\"{name}\": \"")))
        {
            continue;
        }
        let Ok(compute) = serde_json::from_str::<ComputeResource>(text) else {
            continue;
        };
        computes += usize::from(is_compute && !compute.name.is_empty());
        assert_eq!(
            serde_json::to_string(&compute).unwrap(),
            compact(text),
            "{url}"
        );
        #[cfg(feature = "services")]
        for kept in [
            serde_json::from_str::<ModelResource>(text)
                .map(|model| serde_json::to_string(&model).unwrap()),
            serde_json::from_str::<ServiceResource>(text)
                .map(|one| serde_json::to_string(&one).unwrap()),
        ]
        .into_iter()
        .flatten()
        {
            assert_eq!(kept, compact(text), "{url}");
        }
    }
    assert!(computes > 10, "{computes} of {}", bodies.len());
}

#[test]
fn document_that_repeats_a_secret_in_several_errors_is_kept_without_it() {
    let text = json!({ "name": "a", "tags": { "word": "s3cr3t-word" }, "properties": {
        "computeType": "AKS",
        "provisioningErrors": [
            { "error": { "code": "s3cr3t-word", "message": "not s3cr3t-word" } },
            { "error": { "code": "C", "message": "nor s3cr3t-word" } },
        ],
        "provisioningWarnings": [{ "error": { "message": "s3cr3t-word" } }],
    } });
    let compute: ComputeResource = serde_json::from_value(text).unwrap();
    let shown = compute.hiding(&Hidden::of(["s3cr3t-word"])).to_value();
    assert_eq!(shown["tags"]["word"], "s3cr3t-word", "a word of the user");
    let properties = shown["properties"].to_string();
    assert!(!properties.contains("s3cr3t-word"), "{properties}");
    assert!(properties.contains("nor [redacted]"), "{properties}");
}

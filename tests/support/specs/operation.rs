//! The operations of the OpenAPI documents, and which of them a request means.

use serde_json::{Map, Value};

use super::openapi::Document;

const METHODS: [&str; 6] = ["get", "put", "post", "patch", "delete", "head"];

/// One method of one path template.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Index of its document.
    pub(crate) document: usize,
    /// In upper case.
    pub(crate) method: String,
    pub(crate) template: String,
    /// With references resolved; one that leads nowhere stands as it is.
    pub(crate) parameters: Vec<Value>,
    pub(crate) responses: Map<String, Value>,
    /// Files that its `x-ms-examples` cite.
    pub(crate) examples: Vec<String>,
}

impl Operation {
    /// All operations of the document with this index.
    pub(crate) fn all(index: usize, document: &Document) -> Vec<Self> {
        let paths = document.root["paths"].as_object().into_iter().flatten();
        paths
            .flat_map(|(template, item)| {
                let described = METHODS
                    .into_iter()
                    .filter(|method| item.get(method).is_some());
                described.map(move |method| Self::new(index, document, template, item, method))
            })
            .collect()
    }

    fn new(index: usize, document: &Document, template: &str, item: &Value, method: &str) -> Self {
        let operation = &item[method];
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let resolve = |parameter: Value| {
            let target = parameter["$ref"]
                .as_str()
                .and_then(|at| at.strip_prefix('#'));
            target
                .and_then(|at| document.root.pointer(at))
                .cloned()
                .unwrap_or(parameter)
        };
        let parameters = [list(&item["parameters"]), list(&operation["parameters"])].concat();
        let examples = operation["x-ms-examples"].as_object().into_iter().flatten();
        Self {
            document: index,
            method: method.to_ascii_uppercase(),
            template: template.to_owned(),
            parameters: parameters.into_iter().map(resolve).collect(),
            responses: operation["responses"]
                .as_object()
                .cloned()
                .unwrap_or_default(),
            examples: examples
                .filter_map(|(_, example)| Some(example["$ref"].as_str()?.to_owned()))
                .collect(),
        }
    }

    /// `PUT /subscriptions/{subscriptionId}/...`
    pub(crate) fn route(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    /// The values of the path parameters, if the path is one of the template. Case is not looked
    /// at in the fixed parts, because ARM ignores it, too.
    pub(crate) fn fits<'a>(&'a self, path: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
        let parts: Vec<_> = path.trim_matches('/').split('/').collect();
        let template: Vec<_> = self.template.trim_matches('/').split('/').collect();
        if parts.len() != template.len() {
            return None;
        }
        let mut values = Vec::new();
        for (part, expected) in parts.into_iter().zip(template) {
            match placeholder(expected) {
                Some(name) if !part.is_empty() => values.push((name, part)),
                None if part.eq_ignore_ascii_case(expected) => {}
                _ => return None,
            }
        }
        Some(values)
    }

    /// How many parts of the template are fixed: of two that fit, the one with more is meant.
    pub(crate) fn fixed_parts(&self) -> usize {
        self.template
            .split('/')
            .filter(|part| placeholder(part).is_none())
            .count()
    }

    pub(crate) fn parameters_in(&self, place: &str) -> impl Iterator<Item = &Value> {
        self.parameters
            .iter()
            .filter(move |parameter| parameter["in"] == place)
    }

    pub(crate) fn takes_version(&self) -> bool {
        self.parameters_in("query")
            .any(|parameter| parameter["name"] == "api-version")
    }
}

fn placeholder(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

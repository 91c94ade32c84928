//! One exchange against the descriptions.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Deviation, Direction, Exchange, Kind, Operation, Report, Specs, Undescribed,
    openapi::{self, Document},
    schema::{Compiled, Emitter},
    source::Source,
};

/// Collects what one exchange departs in.
struct Check<'a> {
    specs: &'a Specs,
    document: &'a Document,
    operation: &'a Operation,
    source: Source<'a>,
    /// Of the request; the operation's own unless that method is not described.
    method: &'a str,
    /// Distinguishes the compiled schemas of this route, version and source.
    key: String,
    deviations: Vec<Deviation>,
}

impl Specs {
    /// Holds one exchange against the descriptions of its route and API version.
    pub(crate) fn check(&self, exchange: &Exchange) -> Report {
        let mut fitting: Vec<_> = self
            .operations
            .iter()
            .filter(|known| known.fits(&exchange.path).is_some())
            .collect();
        fitting.sort_by_key(|known| {
            let same_version = exchange.api_version() == Some(self.version_of(known));
            (
                known.method == exchange.method,
                known.fixed_parts(),
                same_version,
            )
        });
        let Some(operation) = fitting.pop() else {
            let (method, path) = (exchange.method.clone(), exchange.path.clone());
            return Report {
                undescribed: Some(Undescribed { method, path }),
                ..Report::default()
            };
        };
        let document = &self.documents[operation.document];
        let (source, version, fault) = self.source(exchange, operation);
        let kind = match source {
            Source::OpenApi => "OpenAPI",
            _ => "bicep",
        };
        let held_against = format!("{kind} {version}");
        let key = format!("{} {held_against}", operation.route());
        let deviations = Vec::new();
        let mut check = Check {
            specs: self,
            method: &exchange.method,
            document,
            operation,
            source,
            key,
            deviations,
        };
        if let Some(fault) = fault {
            let version = exchange.api_version().unwrap_or_default();
            check.add(
                Direction::Request,
                "query:api-version",
                Kind::ApiVersion,
                fault,
                version,
            );
        }
        if operation.method == exchange.method {
            check.run(exchange);
        } else {
            let others = self
                .operations
                .iter()
                .filter(|known| known.fits(&exchange.path).is_some());
            let methods: Vec<_> = others.map(|known| known.method.as_str()).collect();
            let what = format!("only {} are described here", methods.join(", "));
            check.add(Direction::Request, "", Kind::Method, what, &exchange.method);
        }
        let mut deviations = check.deviations;
        deviations.sort_unstable();
        Report {
            deviations,
            undescribed: None,
            held_against,
        }
    }
}

impl Check<'_> {
    fn run(&mut self, exchange: &Exchange) {
        self.address(exchange);
        self.query(exchange);
        self.request_body(exchange);
        self.response(exchange);
    }

    fn add(&mut self, direction: Direction, at: &str, kind: Kind, what: String, value: &str) {
        self.deviations.push(Deviation {
            route: format!("{} {}", self.method, self.operation.template),
            direction,
            json_pointer: at.to_owned(),
            kind,
            what,
            value: value.to_owned(),
        });
    }

    fn address(&mut self, exchange: &Exchange) {
        let values = self.operation.fits(&exchange.path).unwrap_or_default();
        let parameters: Vec<_> = self.operation.parameters_in("path").cloned().collect();
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap_or_default();
            if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
                self.scalar(&parameter, &format!("path:{name}"), value);
            }
        }
        let (Source::Item(found), Some((name, value))) = (self.source, values.last()) else {
            return;
        };
        let mut out = Emitter::new(Direction::Request);
        if let Some(schema) = found.name_schema(&mut out) {
            self.hold(&out.compile(schema), &json!(value), &format!("path:{name}"));
        }
    }

    fn query(&mut self, exchange: &Exchange) {
        let parameters: Vec<_> = self.operation.parameters_in("query").cloned().collect();
        let named = |parameter: &Value, name: &str| {
            parameter["name"]
                .as_str()
                .is_some_and(|known| known.eq_ignore_ascii_case(name))
        };
        for (name, value) in &exchange.query {
            let at = format!("query:{name}");
            match parameters.iter().find(|parameter| named(parameter, name)) {
                Some(parameter) => self.scalar(parameter, &at, value),
                None => {
                    let what = "the description has no such parameter".to_owned();
                    self.add(Direction::Request, &at, Kind::Unknown, what, value);
                }
            }
        }
        for parameter in parameters
            .iter()
            .filter(|parameter| parameter["required"] == true)
        {
            if !exchange
                .query
                .iter()
                .any(|(name, _)| named(parameter, name))
            {
                let at = format!("query:{}", parameter["name"].as_str().unwrap_or_default());
                let what = "a required parameter is missing".to_owned();
                self.add(Direction::Request, &at, Kind::Missing, what, "");
            }
        }
    }

    fn scalar(&mut self, parameter: &Value, at: &str, text: &str) {
        let kind = parameter["type"].as_str().unwrap_or("string");
        let value = match kind {
            "boolean" | "integer" | "number" => serde_json::from_str(text).unwrap_or(json!(text)),
            _ => json!(text),
        };
        let out = Emitter::new(Direction::Request);
        self.hold(&out.compile(openapi::scalar(parameter, kind)), &value, at);
    }

    fn hold(&mut self, compiled: &Compiled, value: &Value, at: &str) {
        for fault in compiled.faults(value) {
            self.add(Direction::Request, at, fault.kind, fault.what, &fault.value);
        }
    }

    fn request_body(&mut self, exchange: &Exchange) {
        let parameter = self.operation.parameters_in("body").next();
        let required = parameter.is_some_and(|parameter| parameter["required"] == true);
        let schema = match (self.source, parameter) {
            // What a PATCH takes is a type of its own, which only OpenAPI has.
            (Source::Item(found), Some(_)) if exchange.method == "PUT" => {
                Some(self.compiled(Direction::Request, "body", |_, out| found.schema(out)))
            }
            (Source::Function(found), _) => found
                .side("input")
                .map(|input| self.compiled(Direction::Request, "body", |_, out| input.schema(out))),
            (_, Some(parameter)) => {
                Some(self.compiled(Direction::Request, "body", |document, out| {
                    document.schema(&parameter["schema"], out)
                }))
            }
            (_, None) => None,
        };
        self.body(
            Direction::Request,
            schema,
            exchange.request_body.as_ref(),
            required,
        );
    }

    fn response(&mut self, exchange: &Exchange) {
        let status = exchange.status.to_string();
        let default = || {
            self.operation
                .responses
                .get("default")
                .filter(|_| exchange.status >= 400)
        };
        let Some(response) = self.operation.responses.get(&status).or_else(default) else {
            let what = format!("status {status} is not described");
            return self.add(Direction::Response, "status", Kind::Status, what, &status);
        };
        let described = response.get("schema");
        let part = match exchange.status >= 400 {
            true => "error",
            false => status.as_str(),
        };
        let schema = described.map(|described| {
            self.compiled(Direction::Response, part, |document, out| {
                match self.source {
                    Source::OpenApi => document.schema(described, out),
                    // The version's own error body, where its types have one.
                    Source::Item(found) | Source::List(found) | Source::Function(found)
                        if exchange.status >= 400 =>
                    {
                        match found.types.error_body() {
                            Some(error) => error.schema(out),
                            None => document.schema(described, out),
                        }
                    }
                    Source::Item(found) => found.schema(out),
                    Source::Function(found) => match found.side("output") {
                        Some(output) => output.schema(out),
                        None => document.schema(described, out),
                    },
                    Source::List(found) => {
                        let wrapper = document.schema(described, out);
                        let mut wrapper = out.defined(&wrapper).cloned().unwrap_or(wrapper);
                        wrapper["properties"]["value"]["items"] = found.schema(out);
                        wrapper
                    }
                }
            })
        });
        let expects_body = schema.is_some();
        self.body(
            Direction::Response,
            schema,
            exchange.response_body.as_ref(),
            expects_body,
        );
        let headers = response["headers"].as_object().into_iter().flatten();
        let Some(received) = &exchange.response_headers else {
            return;
        };
        for (name, _) in headers {
            if !received
                .iter()
                .any(|header| header.eq_ignore_ascii_case(name))
            {
                let what = "the description promises this header".to_owned();
                self.add(
                    Direction::Response,
                    &format!("header:{name}"),
                    Kind::Missing,
                    what,
                    "",
                );
            }
        }
    }

    fn body(
        &mut self,
        direction: Direction,
        schema: Option<Arc<Compiled>>,
        body: Option<&Value>,
        required: bool,
    ) {
        let Some(schema) = schema else {
            if body.is_some() {
                let what = "a body where none is described".to_owned();
                self.add(direction, "body", Kind::Unknown, what, "");
            }
            return;
        };
        for reference in &schema.missing {
            let what = format!("{reference} is not beside the description: a part is unchecked");
            self.add(direction, "body", Kind::Reference, what, reference);
        }
        let Some(body) = body else {
            if required {
                self.add(
                    direction,
                    "body",
                    Kind::Missing,
                    "the body is missing".into(),
                    "",
                );
            }
            return;
        };
        for fault in schema.faults(body) {
            self.add(
                direction,
                &fault.pointer,
                fault.kind,
                fault.what,
                &fault.value,
            );
        }
    }

    fn compiled(
        &self,
        direction: Direction,
        part: &str,
        make: impl FnOnce(&Document, &mut Emitter) -> Value,
    ) -> Arc<Compiled> {
        let key = format!("{} {direction:?} {part}", self.key);
        let mut known = self
            .specs
            .compiled
            .lock()
            .expect("no test panics while compiling");
        let compiled = known.entry(key).or_insert_with(|| {
            let mut out = Emitter::new(direction);
            let root = make(self.document, &mut out);
            Arc::new(out.compile(root))
        });
        Arc::clone(compiled)
    }
}

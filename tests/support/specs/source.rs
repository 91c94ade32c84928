//! Which description, of which version, an exchange is checked against.

use super::{Exchange, Operation, Specs, bicep::Described};

/// Which description the bodies of an exchange are checked against. What an operation may answer, and
/// with which query, always comes from OpenAPI: the bicep types do not say it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    OpenApi,
    /// An item of this type is sent or received.
    Item(Described<'a>),
    /// A list of items, in the wrapper that OpenAPI describes.
    List(Described<'a>),
    /// A function such as `listKeys`.
    Function(Described<'a>),
}

impl Specs {
    /// Where the bodies are described, in which version, and what is wrong with that version.
    pub(crate) fn source<'a>(
        &'a self,
        exchange: &Exchange,
        operation: &'a Operation,
    ) -> (Source<'a>, String, Option<String>) {
        let described = self.version_of(operation).to_owned();
        let asked = exchange.api_version().unwrap_or_default();
        if !operation.takes_version() || asked == described {
            return (Source::OpenApi, described, None);
        }
        let Some((kind, is_item)) = resource_type(&exchange.path) else {
            return (
                Source::OpenApi,
                described,
                Some("the path names no resource type".into()),
            );
        };
        let find = |version: &str| {
            self.types.iter().find_map(|types| {
                let function = types
                    .function(&kind, version)
                    .filter(|_| exchange.method == "POST");
                let resource = types.resource(&kind, version);
                function
                    .map(Source::Function)
                    .or(resource.map(|found| match is_item {
                        true => Source::Item(found),
                        false => Source::List(found),
                    }))
            })
        };
        if let Some(source) = find(asked) {
            return (source, asked.to_owned(), None);
        }
        // The newest types are a superset of what an unlisted version may know.
        let newest = self
            .types
            .iter()
            .filter_map(|types| types.newest(&kind))
            .max();
        let (source, version) = match newest.and_then(|newest| Some((find(newest)?, newest))) {
            Some((source, newest)) => (source, newest.to_owned()),
            None => (Source::OpenApi, described),
        };
        let fault = format!("API version {asked:?} is not described here, {version} is");
        (source, version, Some(fault))
    }
}

/// `provider/type/type` of a path, and whether the path ends at an item rather than at a type.
fn resource_type(path: &str) -> Option<(String, bool)> {
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let is_providers = |part: &str| part.eq_ignore_ascii_case("providers");
    let parts = &parts[parts.iter().rposition(|part| is_providers(part))? + 1..];
    let types = parts.get(1..)?.iter().step_by(2).copied();
    let kind: Vec<_> = parts.first().copied().into_iter().chain(types).collect();
    Some((kind.join("/"), parts.len() % 2 == 1))
}

//! The common parts of the verbs on an extension.

use super::Extension;
use super::address::ExtensionId;
use crate::error::{Error, ErrorKind, Hidden};
use crate::facts::arm::{EXTENSION_TYPE, EXTENSIONS_API_VERSION};
use crate::operation::request::CallOptions;
use crate::operation::{self, Driver, Machine, Operation, Step, Subject, Ticket};
use crate::token::{HttpVerb, ResumeToken, TokenResource, Verb};
use crate::workspace::Workspace;
use url::Url;

/// The subject of operations on extensions.
pub(crate) const EXTENSION: Subject = Subject {
    noun: "extension",
    collection: None,
    remains: "the extension stays and keeps its name: read its statuses, then delete it before the next try",
};

/// Returns the token of a verb on an extension.
pub(super) fn token(
    workspace: &Workspace,
    id: &ExtensionId,
    verb: (Verb, HttpVerb),
    url: &Url,
    options: &CallOptions,
) -> Result<ResumeToken, Error> {
    let of = (TokenResource::Extension, id.target());
    options.token(workspace.id(), of, verb, url, EXTENSIONS_API_VERSION)
}

/// Returns the install or update that has begun.
pub(crate) fn changing(
    workspace: &Workspace,
    id: ExtensionId,
    hidden: Hidden,
    ticket: Ticket,
    (machine, step): (Machine, Step),
) -> Operation<Extension> {
    let begun = (machine.hiding(&hidden), step);
    let driver = Driver::of(workspace.client().clone(), &EXTENSION, ticket, begun);
    let workspace = workspace.clone();
    Operation::new(driver, move |settled| {
        let resource = operation::result(settled, EXTENSION.noun)?;
        Ok(Extension::found(&workspace, id.clone(), resource, &hidden))
    })
}

/// Waits for an extension in its present state.
pub(crate) fn watch(
    workspace: &Workspace,
    id: &ExtensionId,
    ticket: &Ticket,
    state: Option<&str>,
) -> (Machine, Step) {
    ticket.watch(workspace.client(), &id.url(workspace), state)
}

impl Extension {
    /// Refuses to change an extension of another type.
    pub(super) fn check_type(&self) -> Result<(), Error> {
        if self.is_machine_learning() {
            return Ok(());
        }
        let own = self.resource.properties.extension_type.as_deref();
        let why = format!(
            "the {} is of type {:?}, and {EXTENSION_TYPE} is expected",
            self.id,
            own.unwrap_or("unknown")
        );
        Err(Error::new(ErrorKind::Refused, why))
    }
}

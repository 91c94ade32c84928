//! The paved path to a credential. `azure_identity` is named in this file alone.

use super::WorkspaceBuilder;
use crate::error::{Error, ErrorKind};
use crate::transport::default_transport;
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::ClientOptions;
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use std::sync::Arc;

/// The ways to a credential, by what the environment says.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    ClientSecret,
    WorkloadIdentity,
    ManagedIdentity,
    DeveloperTools,
}

impl WorkspaceBuilder {
    /// Takes the credential that the environment offers, from `azure_identity`:
    ///
    /// 1. `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`: a service principal. Where only some of
    ///    them are set, and they belong to none of the next two ways, that is an error;
    /// 2. `AZURE_FEDERATED_TOKEN_FILE`: workload identity, as in a Kubernetes pod;
    /// 3. `IDENTITY_ENDPOINT`, or `AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential` (on a virtual
    ///    machine nothing tells it apart): the managed identity, the user-assigned one of
    ///    `AZURE_CLIENT_ID` if that is set;
    /// 4. else the tools that a developer is signed in to: `az` or `azd`.
    ///
    /// Call it after [`cloud`](Self::cloud), [`transport`](Self::transport) and
    /// [`proxy`](Self::proxy), whose settings it takes over. For anything else make the credential yourself and give it to
    /// [`credential`](Self::credential).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credential`] if a variable of a service principal is missing, or the credential cannot be
    /// made of what the environment says. Whether it is accepted shows with the first call.
    pub fn default_credential(self) -> Result<Self, Error> {
        let options = self.identity_options()?;
        let way = way(|name| std::env::var(name).ok())?;
        let credential = make(way, options).map_err(|error| {
            let why = format!("the environment does not describe a credential: {error}");
            Error::new(ErrorKind::Credential, why).with_source(error)
        })?;
        Ok(self.credential(credential))
    }

    /// The credential goes through the same proxy, and trusts the same authorities.
    fn identity_options(&self) -> Result<ClientOptions, Error> {
        let transport = match &self.options.transport {
            Some(transport) => transport.clone(),
            None => default_transport(&self.default_client)?,
        };
        Ok(ClientOptions {
            transport: Some(transport),
            // Of a custom cloud only the credential's own variables know where to sign in
            // (`AZURE_AUTHORITY_HOST`).
            cloud: self
                .cloud
                .configuration()
                .map(|known| Arc::new(known.clone())),
            ..ClientOptions::default()
        })
    }
}

/// The variables of a service principal.
const PRINCIPAL: [&str; 3] = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"];

fn way(variable: impl Fn(&str) -> Option<String>) -> Result<Way, Error> {
    let set = |name: &str| variable(name).is_some_and(|value| !value.trim().is_empty());
    let chosen = variable("AZURE_TOKEN_CREDENTIALS").unwrap_or_default();
    let managed = chosen.eq_ignore_ascii_case("ManagedIdentityCredential");
    let (given, missing): (Vec<_>, Vec<_>) = PRINCIPAL.into_iter().partition(|name| set(name));
    // The other ways use tenant and client, and none of them the secret.
    Ok(match given[..] {
        _ if missing.is_empty() => Way::ClientSecret,
        _ if set("AZURE_FEDERATED_TOKEN_FILE") => Way::WorkloadIdentity,
        _ if managed => Way::ManagedIdentity,
        _ if set("IDENTITY_ENDPOINT") && !set("AZURE_CLIENT_SECRET") => Way::ManagedIdentity,
        // A client alone names a managed identity.
        [] | ["AZURE_CLIENT_ID"] => Way::DeveloperTools,
        _ => {
            let why = format!(
                "the environment has a part of a service principal: {} set, {} not",
                given.join(" and "),
                missing.join(" and ")
            );
            return Err(Error::new(ErrorKind::Credential, why)
                .with_remedy("set all three variables, or none of them"));
        }
    })
}

fn make(way: Way, client_options: ClientOptions) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    Ok(match way {
        Way::ClientSecret => ClientSecretCredential::new(
            &variable("AZURE_TENANT_ID"),
            variable("AZURE_CLIENT_ID"),
            Secret::from(variable("AZURE_CLIENT_SECRET")),
            Some(ClientSecretCredentialOptions { client_options }),
        )?,
        Way::WorkloadIdentity => {
            WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                credential_options: ClientAssertionCredentialOptions { client_options },
                ..Default::default()
            }))?
        }
        Way::ManagedIdentity => {
            let client_id = variable("AZURE_CLIENT_ID");
            ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                user_assigned_id: (!client_id.is_empty())
                    .then_some(UserAssignedId::ClientId(client_id)),
                client_options,
            }))?
        }
        Way::DeveloperTools => DeveloperToolsCredential::new(None)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_chooses_the_credential() {
        let of = |set: &[(&str, &str)]| {
            way(|name| {
                set.iter()
                    .find(|(own, _)| *own == name)
                    .map(|(_, value)| (*value).to_owned())
            })
            .unwrap()
        };
        let principal = [
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_ID", "c"),
            ("AZURE_CLIENT_SECRET", "s"),
        ];
        assert_eq!(of(&principal), Way::ClientSecret);
        assert_eq!(
            of(&[("AZURE_FEDERATED_TOKEN_FILE", "f")]),
            Way::WorkloadIdentity
        );
        assert_eq!(of(&[("IDENTITY_ENDPOINT", "e")]), Way::ManagedIdentity);
        assert_eq!(
            of(&[("AZURE_TOKEN_CREDENTIALS", "managedidentitycredential")]),
            Way::ManagedIdentity
        );
        assert_eq!(of(&[]), Way::DeveloperTools);
    }

    #[test]
    fn part_of_a_service_principal_is_an_error_that_names_what_is_missing() {
        const TENANT: &str = "AZURE_TENANT_ID";
        const CLIENT: &str = "AZURE_CLIENT_ID";
        const SECRET: &str = "AZURE_CLIENT_SECRET";
        let of = |set: &[&str], blank: &str| {
            way(|name| match set.contains(&name) {
                true => Some("s3cr3t".to_owned()),
                false => (name == blank).then(|| " ".to_owned()),
            })
        };
        for (set, missing) in [
            (&[TENANT, CLIENT][..], "AZURE_CLIENT_SECRET not"),
            (&[TENANT, SECRET], "AZURE_CLIENT_ID not"),
            (&[CLIENT, SECRET], "AZURE_TENANT_ID not"),
            (
                &[CLIENT, SECRET, "IDENTITY_ENDPOINT"],
                "AZURE_TENANT_ID not",
            ),
            (&[SECRET], "AZURE_TENANT_ID and AZURE_CLIENT_ID not"),
            (&[TENANT], "AZURE_CLIENT_ID and AZURE_CLIENT_SECRET not"),
        ] {
            for blank in ["", TENANT, CLIENT, SECRET] {
                let error = of(set, blank).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Credential);
                let text = error.to_string();
                assert!(text.contains(missing) && !text.contains("s3cr3t"), "{text}");
            }
        }
        for (set, way) in [
            (&[CLIENT][..], Way::DeveloperTools),
            (&[CLIENT, "IDENTITY_ENDPOINT"], Way::ManagedIdentity),
            (&[TENANT, CLIENT, "IDENTITY_ENDPOINT"], Way::ManagedIdentity),
            (
                &[TENANT, CLIENT, "AZURE_FEDERATED_TOKEN_FILE"],
                Way::WorkloadIdentity,
            ),
        ] {
            assert_eq!(of(set, "").unwrap(), way, "{set:?}");
        }
    }
}

//! Flags of the original that have no effect here. Each is refused with the reason, because a service without the effect of a
//! flag is not the service that the caller wants.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};
use std::fmt;
use std::marker::PhantomData;

const ACI: &str = "it is for deployments to Azure Container Instances or to this machine; this program deploys only to AKS";
const ENDPOINT: &str = "it is for the versions of an endpoint (`az ml endpoint realtime`), which this program does not have; \
    deploy a second service in place of a version, and let the callers choose between the two";
const MIGRATION: &str = "this program does not move a service to another compute: deploy the models there under another \
    name, and delete this service afterwards";

const KEYS: &str =
    "an update does not change keys: `azureml-aks service regen-key --set-key VALUE` does";

/// The long name, the short one, and why it is refused.
type Flags = &'static [(&'static str, &'static str, &'static str)];

/// The command whose flags these are.
pub(crate) trait Of {
    const FLAGS: Flags;
}

/// `model deploy`.
#[derive(Debug)]
pub(crate) struct OfDeploy;

/// `service update`.
#[derive(Debug)]
pub(crate) struct OfUpdate;

impl Of for OfDeploy {
    const FLAGS: Flags = &[
        ("dns-name-label", "dn", ACI),
        ("key-name", "", ACI),
        ("key-version", "", ACI),
        ("location", "lo", ACI),
        ("port", "po", ACI),
        ("ssl-cert-pem-file", "sp", ACI),
        ("ssl-cname", "sc", ACI),
        ("ssl-enabled", "se", ACI),
        ("ssl-key-pem-file", "sk", ACI),
        ("subnet-name", "", ACI),
        ("traffic-percentile", "tp", ENDPOINT),
        ("vault-base-url", "", ACI),
        ("version-name", "vn", ENDPOINT),
        ("vnet-name", "", ACI),
    ];
}

impl Of for OfUpdate {
    const FLAGS: Flags = &[
        ("compute-target", "ct", MIGRATION),
        ("dns-name-label", "dn", ACI),
        ("is-migration", "", MIGRATION),
        ("location", "lo", ACI),
        ("port", "po", ACI),
        ("primary-key", "kp", KEYS),
        ("secondary-key", "ks", KEYS),
        ("ssl-cert-pem-file", "sp", ACI),
        ("ssl-cname", "sc", ACI),
        ("ssl-enabled", "se", ACI),
        ("ssl-key-pem-file", "sk", ACI),
    ];
}

/// The refused flags of a command.
pub(crate) struct Foreign<C>(PhantomData<C>);

impl<C: Of> Args for Foreign<C> {
    fn augment_args(command: Command) -> Command {
        C::FLAGS.iter().fold(command, |command, (name, short, _)| {
            let flag = Arg::new(*name).long(*name).hide(true);
            let flag = flag.num_args(0..=1).default_missing_value("");
            let flag = match *short {
                "" => flag,
                short => flag.alias(short),
            };
            command.arg(flag.help("Refused: it has no effect on AKS"))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<C: Of> FromArgMatches for Foreign<C> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
        match C::FLAGS.iter().find(|(name, _, _)| given(name)) {
            Some((name, _, why)) => Err(Error::raw(
                ErrorKind::UnknownArgument,
                format!("--{name} has no effect here: {why}\n"),
            )),
            None => Ok(Self(PhantomData)),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        Self::from_arg_matches(matches).map(drop)
    }
}

impl<C> fmt::Debug for Foreign<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Foreign")
    }
}

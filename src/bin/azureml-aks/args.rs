//! The command line: what every command takes, and how it is read.

use crate::output::Format;
use crate::query::Query;
use crate::{
    aks, computetarget, emulator, extension, folder, model, operation, preflight, schema, service,
};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::ffi::OsString;
use std::path::PathBuf;

/// Manages the AKS clusters of an Azure Machine Learning workspace, and deploys models to them.
///
/// The commands are those of `az ml` (v1) and of `az aks`; a first word `ml` is skipped.
#[derive(Debug, Parser)]
#[command(
    name = "azureml-aks",
    version,
    infer_long_args = true,
    max_term_width = 100,
    propagate_version = false
)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 not found.\n\nExamples:\n  \
    azureml-aks computetarget create aks -n myaks -g myresourcegroup -w myworkspace\n  \
    azureml-aks aks get-versions -l westus -o table"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options that stand before or after any command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Format of the result [default: json, or AZURE_CORE_OUTPUT].
    #[arg(long, short, global = true, ignore_case = true, value_enum)]
    pub(crate) output: Option<Format>,
    /// JMESPath that is applied to the result. Put it into single quotes.
    #[arg(long, global = true, value_parser = Query::parse)]
    pub(crate) query: Option<Query>,
    /// Print errors alone on standard error: no progress, no warnings.
    #[arg(long, global = true)]
    pub(crate) only_show_errors: bool,
    /// Print events of the library, and how long the command took.
    #[arg(long, global = true)]
    pub(crate) verbose: bool,
    /// Print what --verbose prints, and each request and answer. Secrets are left out.
    #[arg(long, global = true)]
    pub(crate) debug: bool,
    /// Resource group of the workspace; for `aks`, `extension` and `preflight install` that of the cluster.
    #[arg(long, short = 'g', global = true, value_name = "GROUP")]
    pub(crate) resource_group: Option<String>,
    /// Name of the workspace.
    #[arg(long, short = 'w', global = true, value_name = "NAME")]
    pub(crate) workspace_name: Option<String>,
    /// Id of the subscription.
    #[arg(
        long,
        visible_alias = "subscription-id",
        global = true,
        value_name = "ID"
    )]
    pub(crate) subscription: Option<String>,
    /// Folder from which config.json is looked for, upwards.
    #[arg(
        long,
        global = true,
        default_value = ".",
        hide_default_value = true,
        value_name = "FOLDER"
    )]
    pub(crate) path: PathBuf,
    /// Print the whole object of the service in place of its main members.
    #[arg(short = 'v', global = true)]
    pub(crate) whole: bool,
    /// Who signs in.
    #[arg(long, global = true, value_enum, default_value_t = Sign::Default, value_name = "WAY")]
    pub(crate) credential: Sign,
    /// Talk to an emulator in place of Azure: an address that the command `emulator` printed.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) emulator: Option<String>,
    /// The file with the emulator's authority; needed with its https address alone.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) emulator_ca: Option<PathBuf>,
}

/// The ways to a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sign {
    /// What the environment offers: a service principal, workload identity, managed identity, or `az` and `azd`.
    Default,
    /// The account that `az login` signed in.
    Cli,
    /// The account that `azd auth login` signed in.
    Azd,
    /// The managed identity of the machine; `AZURE_CLIENT_ID` names a user-assigned one.
    ManagedIdentity,
    /// The workload identity of a Kubernetes pod.
    WorkloadIdentity,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// AKS clusters themselves, as `az aks` has them.
    #[command(subcommand)]
    Aks(aks::Command),
    /// Clusters that are computes of the workspace.
    #[command(subcommand)]
    Computetarget(computetarget::Command),
    /// Azure Machine Learning's extension of a cluster, which computes of kind Kubernetes need.
    #[command(subcommand)]
    Extension(extension::Command),
    /// Models, and their deployment.
    #[command(subcommand)]
    Model(model::Command),
    /// Web services on AKS.
    #[command(subcommand)]
    Service(service::Command),
    /// The folder that knows its workspace.
    #[command(subcommand)]
    Folder(folder::Command),
    /// Checks before anything is changed.
    #[command(subcommand)]
    Preflight(preflight::Command),
    /// Operations that were started here and may still run.
    #[command(subcommand)]
    Operation(operation::Command),
    /// Runs the emulator of the Azure side until Ctrl-C, and prints its addresses as one line of JSON.
    #[command(after_help = emulator::EXAMPLE)]
    Emulator(Box<emulator::Emulate>),
    /// JSON Schemas of the configuration files, for an editor.
    #[command(subcommand)]
    Schema(schema::Command),
    /// Prints the completions of a shell.
    #[command(
        after_help = "Example:\n  azureml-aks completion bash >~/.local/share/bash-completion/completions/azureml-aks"
    )]
    Completion {
        /// The shell.
        shell: Shell,
    },
}

/// The name of a thing.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Name.
    #[arg(long, short)]
    pub(crate) name: String,
}

/// For what is destroyed.
#[derive(Debug, Args)]
pub(crate) struct Sure {
    /// Do not ask. Without a terminal nothing is asked.
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// For what takes minutes.
#[derive(Debug, Args)]
pub(crate) struct Waiting {
    /// Return when the service has accepted the request.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// One-dash flags of several letters in the articles, and what they are today.
const OLD_FLAGS: [(&str, &str); 3] = [("-ct", "--ct"), ("-ic", "--ic"), ("-dc", "--dc")];

/// The options of [`Global`] that say which workspace, and how much of its answers is shown.
const ALL: &[&str] = &[
    "resource_group",
    "workspace_name",
    "subscription",
    "path",
    "whole",
];
/// Those that say how it is reached. A shell's alias may have them before every command.
const WAY: &[&str] = &["credential", "emulator", "emulator_ca"];

/// The options that have no effect on a command: those that it refuses, and those that it accepts and does not list.
fn meaningless(command: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match command {
        "aks" | "extension" => (&["whole"], &[]),
        "completion" => (
            ALL,
            &["credential", "emulator", "emulator_ca", "output", "query"],
        ),
        "emulator" => (
            &["path", "whole"],
            &["credential", "emulator", "emulator_ca", "output", "query"],
        ),
        "folder" => (&["whole"], WAY),
        "operation" => (ALL, &[]),
        "preflight" => (&["whole"], &[]),
        "schema" => (ALL, WAY),
        _ => (&[], &[]),
    }
}

/// The parser. The options that have no effect on a command are not in its help.
pub(crate) fn command() -> clap::Command {
    let whole = Cli::command();
    let options: Vec<clap::Arg> = whole.get_arguments().cloned().collect();
    whole.mut_subcommands(|command| {
        let (refused, unlisted) = meaningless(command.get_name());
        let hidden = options.iter().filter(|option| {
            let id = option.get_id().as_str();
            refused.contains(&id) || unlisted.contains(&id)
        });
        // An option that a command has itself is not taken over from the program.
        command.args(hidden.map(|option| option.clone().hide(true)))
    })
}

/// Reads the command line.
///
/// # Errors
///
/// The text to print: help that was asked for, or the fault of the command line.
pub(crate) fn parse(
    given: impl IntoIterator<Item = OsString>,
) -> std::result::Result<Cli, clap::Error> {
    let mut parser = command();
    let mut matches = parser.try_get_matches_from_mut(modern(given))?;
    let name = matches.subcommand_name().unwrap_or_default().to_owned();
    let given = |id: &&&str| matches.value_source(id) == Some(ValueSource::CommandLine);
    if let Some(id) = meaningless(&name).0.iter().find(given) {
        let option = parser.get_arguments().find(|option| option.get_id() == *id);
        let option = option.map(ToString::to_string).unwrap_or_default();
        let text = format!("'{option}' has no effect on the command '{name}'\n");
        return Err(clap::Error::raw(ErrorKind::UnknownArgument, text));
    }
    Cli::from_arg_matches_mut(&mut matches)
}

/// Returns the fault of a command line, as the other errors of the program are written.
pub(crate) fn complaint(error: &clap::Error, given: &[OsString]) -> String {
    let mut text = error.render().to_string();
    if let Some(rest) = text.strip_prefix("error: ") {
        text = format!("ERROR: {rest}");
    }
    for (from, to) in [
        ("invalid digit found in string", "it must be a whole number"),
        ("invalid float literal", "it must be a number"),
    ] {
        text = text.replace(from, to);
    }
    let words = given
        .iter()
        .skip(1)
        .filter_map(|argument| argument.to_str());
    if let (ErrorKind::MissingRequiredArgument, Some(example)) =
        (error.kind(), example(words.clone()))
    {
        text = text.replace(
            "For more information",
            &format!("{example}\n\nFor more information"),
        );
    }
    for argument in words {
        let flag = argument.split('=').next().unwrap_or_default();
        let Some(letters) = flag.strip_prefix('-').filter(|letters| letters.len() > 1) else {
            continue;
        };
        if OLD_FLAGS.iter().any(|(old, _)| *old == flag) {
            // The parser was given two dashes.
            text = text.replace(&format!("'-{flag}"), &format!("'{flag}"));
        } else if is_alias(&Cli::command(), letters) {
            text += &format!("\n  tip: '{flag}' is written with two dashes: '-{flag}'\n");
        }
    }
    text
}

/// The example of the command that the words name.
fn example<'w>(words: impl Iterator<Item = &'w str>) -> Option<String> {
    let whole = Cli::command();
    let named = words.fold(&whole, |command, word| {
        command.find_subcommand(word).unwrap_or(command)
    });
    named.get_after_help().map(ToString::to_string)
}

/// Whether an option of the command, or of one below it, has this as a further name.
fn is_alias(command: &clap::Command, letters: &str) -> bool {
    let own = command.get_arguments().any(|argument| {
        let names = argument.get_all_aliases().unwrap_or_default();
        names.contains(&letters)
    });
    own || command
        .get_subcommands()
        .any(|inner| is_alias(inner, letters))
}

/// The arguments as the parser takes them: without a first word `ml`, and with today's flags.
pub(crate) fn modern(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    if args.get(1).is_some_and(|word| word == "ml") {
        args.remove(1);
    }
    for argument in args.iter_mut().skip(1) {
        for (old, new) in OLD_FLAGS {
            let Some(rest) = argument.to_str().and_then(|text| text.strip_prefix(old)) else {
                continue;
            };
            if rest.is_empty() || rest.starts_with('=') {
                *argument = format!("{new}{rest}").into();
                break;
            }
        }
    }
    args
}

/// `KEY=VALUE`, at the first `=`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("it must be KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// A condition on a tag or property: `KEY`, or `KEY=VALUE`.
pub(crate) fn condition(text: &str) -> Result<(String, Option<String>), String> {
    Ok(match text.split_once('=') {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (text.to_owned(), None),
    })
}

/// `true` or `false`, however it is spelt.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("it must be true or false".to_owned()),
    }
}

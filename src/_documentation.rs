//! The guides of the folder `docs/`, so that they can be read beside the items that they name.
//!
//! For users:
//!
//! - [`before_you_start`]: what to know before a cluster is created or attached, and a service deployed
//! - [`from_python`]: the snippets of Microsoft's articles, and the same with this library
//! - [`from_azure_ai_ml`]: the lines of Microsoft's client for Azure ML v2, and the same here
//! - [`cookbook`]: CI, pods, many workspaces, token stores, proxies, blocking code
//! - [`troubleshooting`]: symptom, cause, remedy
//! - [`operations`]: what to store, and how operations are waited for
//! - [`validation`]: every rule, with its id and remedy
//! - [`emulator`]: the emulator in your own tests
//! - [`cli`]: the command line
//! - [`security`]: what is sent where, what is stored, which roles are needed
//! - [`reliability`]: attacks and faults that were tried, how often, and the command that repeats each
//! - [`logging`]: events of `tracing`, and what to measure
//! - [`articles`]: the statements of Microsoft's two articles, and where each of them is here
//!
//! For maintainers: [`architecture`], [`design`], [`wire`],
//! [`conformance`], [`performance`].

/// Where the pages' links to one another lead here. They are references, `[text][operations.md]`, which each page defines for
/// readers of the files; of two definitions the first one counts.
macro_rules! links {
    () => {
        "
[../emulator.md]: crate::_documentation::emulator
[../operations.md]: crate::_documentation::operations
[../operations.md#requests-that-are-repeated]: crate::_documentation::operations#requests-that-are-repeated
[../operations.md#web-services]: crate::_documentation::operations#web-services
[../reliability.md]: crate::_documentation::reliability
[architecture.md]: crate::_documentation::architecture
[articles.md]: crate::_documentation::articles
[before-you-start.md]: crate::_documentation::before_you_start
[before-you-start.md#a-cluster-of-your-own]: crate::_documentation::before_you_start#a-cluster-of-your-own
[before-you-start.md#attach]: crate::_documentation::before_you_start#attach
[before-you-start.md#create]: crate::_documentation::before_you_start#create
[before-you-start.md#deploy]: crate::_documentation::before_you_start#deploy
[before-you-start.md#detach-or-delete]: crate::_documentation::before_you_start#detach-or-delete
[before-you-start.md#in-this-order]: crate::_documentation::before_you_start#in-this-order
[before-you-start.md#is-this-the-right-path]: crate::_documentation::before_you_start#is-this-the-right-path
[before-you-start.md#names]: crate::_documentation::before_you_start#names
[before-you-start.md#size-and-purpose]: crate::_documentation::before_you_start#size-and-purpose
[cli.md]: crate::_documentation::cli
[conformance.md]: crate::_documentation::conformance
[cookbook.md#a-token-store]: crate::_documentation::cookbook#a-token-store
[cookbook.md#a-proxy-and-an-authority-of-your-own]: crate::_documentation::cookbook#a-proxy-and-an-authority-of-your-own
[cookbook.md#deploy-or-update-what-is-there]: crate::_documentation::cookbook#deploy-or-update-what-is-there
[design.md]: crate::_documentation::design
[emulator.md]: crate::_documentation::emulator
[emulator.md#admin-routes]: crate::_documentation::emulator#admin-routes
[emulator.md#limits]: crate::_documentation::emulator#limits
[emulator.md#what-is-served]: crate::_documentation::emulator#what-is-served
[before-you-start.md#a-compute-of-kind-kubernetes]: crate::_documentation::before_you_start#a-compute-of-kind-kubernetes
[from-azure-ai-ml.md]: crate::_documentation::from_azure_ai_ml
[from-python.md]: crate::_documentation::from_python
[from-python.md#files-of-the-command-line]: crate::_documentation::from_python#files-of-the-command-line
[from-python.md#the-command-line]: crate::_documentation::from_python#the-command-line
[internals/conformance.md]: crate::_documentation::conformance
[operations.md#what-a-token-is]: crate::_documentation::operations#what-a-token-is
[operations.md#what-to-store-and-when]: crate::_documentation::operations#what-to-store-and-when
[performance.md]: crate::_documentation::performance
[security.md#roles]: crate::_documentation::security#roles
[security.md#the-emulator]: crate::_documentation::security#the-emulator
[troubleshooting.md]: crate::_documentation::troubleshooting
[validation.md]: crate::_documentation::validation

"
    };
}

macro_rules! page {
    ($name:ident, $file:literal) => {
        #[doc = links!()]
        #[doc = include_str!(concat!("../docs/", $file))]
        pub mod $name {}
    };
}

/// A page whose Rust blocks are whole: `cargo test` compiles them, where it has the features.
macro_rules! compiled_page {
    ($name:ident, $file:literal) => {
        #[cfg(any(
            not(doctest),
            all(feature = "emulator", feature = "identity", feature = "services")
        ))]
        page!($name, $file);
    };
}

/// A page whose Rust blocks are parts of a file that runs; `tests/repository/docs.rs` compares them.
macro_rules! page_of_parts {
    ($name:ident, $file:literal) => {
        #[cfg(not(doctest))]
        page!($name, $file);
    };
}

compiled_page!(before_you_start, "before-you-start.md");
page_of_parts!(from_python, "from-python.md");
compiled_page!(cookbook, "cookbook.md");
compiled_page!(from_azure_ai_ml, "from-azure-ai-ml.md");
compiled_page!(troubleshooting, "troubleshooting.md");
page_of_parts!(operations, "operations.md");
page!(validation, "validation.md");
compiled_page!(emulator, "emulator.md");
page!(cli, "cli.md");
compiled_page!(security, "security.md");
compiled_page!(logging, "logging.md");
page!(reliability, "reliability.md");
page!(articles, "articles.md");
page!(architecture, "internals/architecture.md");
page!(design, "internals/design.md");
page!(conformance, "internals/conformance.md");
page!(wire, "internals/wire.md");
page!(performance, "internals/performance.md");

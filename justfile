# The quick loop, for `just`. `.ci/run` is the full check, and decides what lands.

features := "--all-features"

# What can be done.
default:
    @just --list

# Seconds: does it compile, with everything and with the least?
check:
    cargo check {{features}} --tests
    cargo check --no-default-features --features rustls

# Format, and the lints that CI has.
lint:
    cargo fmt --all
    cargo clippy {{features}} --all-targets -- -D warnings
    cargo clippy --no-default-features --features rustls -- -D warnings

# Tests without sockets and outside judges; `just test case_22` runs those of a name.
test name="":
    cargo test {{features}} --lib --test memory --test repository -- {{name}}

# Every test, the examples in the documentation too.
test-all:
    cargo test {{features}}

# The documentation as docs.rs shows it.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc {{features}} --no-deps

# Writes the pages that are generated: rules and public items.
pages:
    UPDATE_PAGES=1 cargo test {{features}} --lib rules::page
    .ci/api >docs/api.md

# What `cargo-deny` checks without a network.
deny:
    cargo deny --offline check bans licenses sources

# All that CI does. Needs the descriptions and recordings that CONTRIBUTING.md names.
ci:
    .ci/run

//! What runs in a deployed service: entry script, sources, environment.

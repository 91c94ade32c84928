//! What a deployed service shall be: resources, replicas, authentication, probes.

//! Request ids.

use azure_core::Uuid;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Generates ids in the form of random UUIDs: a count, hashed with keys that this client alone has.
///
/// An id has to be found in a log, not to be unguessable, and a random number for each call would ask
/// the system each time: with a call of 20 µs that is seen (`docs/internals/performance.md`).
#[derive(Debug, Default)]
pub(super) struct Ids {
    keys: RandomState,
    count: AtomicU64,
}

impl Ids {
    pub(super) fn next(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let half = |half: u8| u128::from(self.keys.hash_one((count, half)));
        // Version 4 and variant 1 of RFC 9562, sections 4.1 and 4.2.
        let marks = (0xf << 76) | (0x3 << 62);
        let bits = (half(0) << 64 | half(1)) & !marks;
        Uuid::from_u128(bits | (0x4 << 76) | (0x2 << 62)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_uuids_of_version_4_and_differ() {
        let all = [Ids::default(), Ids::default()];
        let ids: HashSet<String> = (0..2_000).map(|at| all[at % 2].next()).collect();
        assert_eq!(ids.len(), 2_000);
        for id in ids {
            let uuid: Uuid = id.parse().unwrap();
            assert_eq!(uuid.get_version_num(), 4, "{id}");
            assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
            assert_eq!(uuid.to_string(), id);
        }
    }
}

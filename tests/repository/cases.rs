//! Each case of the conformance suite has a row in `docs/internals/conformance.md` and a test, and the row names the
//! modules of its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The modules of each case, by its number.
type Cases = BTreeMap<u32, BTreeSet<String>>;

/// Returns the number of a name `case_NN…`.
fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("case_")?.get(..2)?;
    digits.parse().ok()
}

/// Reads the table of the page: `case`, a sentence, the modules.
fn rows() -> Cases {
    let mut rows = Cases::new();
    for line in include_str!("../../docs/internals/conformance.md").lines() {
        let Some(row) = line.strip_prefix("| `") else {
            continue;
        };
        let Some(case) = number(row) else { continue };
        let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        let [_, sentence, modules] = cells[..] else {
            panic!("{line}");
        };
        assert!(sentence.ends_with('.'), "{line}");
        let modules = modules.split(", ").map(|name| name.trim_matches('`'));
        let modules = modules.map(str::to_owned).collect();
        assert!(rows.insert(case, modules).is_none(), "two rows: {line}");
    }
    rows
}

/// Finds the tests in the Rust files of this folder.
fn find(folder: &Path, tests: &mut Cases) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, tests);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let names = text.split("fn ").skip(1);
            for case in names.filter_map(number) {
                let module = path.file_stem().unwrap().to_str().unwrap();
                tests.entry(case).or_default().insert(module.to_owned());
            }
        }
    }
}

#[test]
fn each_case_has_a_row_and_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = Cases::new();
    find(&root.join("src"), &mut tests);
    find(&root.join("tests/memory"), &mut tests);
    let rows = rows();
    let numbers: Vec<u32> = rows.keys().copied().collect();
    assert_eq!(numbers, Vec::from_iter(1..=40), "rows");
    assert_eq!(rows, tests, "left: rows of the page, right: tests");
}

//! The code of the pages runs, and the items that they name exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// The contents of the fenced blocks in `language`.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// Without what the formatter adds where a line is long.
fn squeezed(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    text.replace(",)", ")")
}

#[test]
fn every_block_of_the_pages_stands_in_a_file_that_runs() {
    for (page, least, runs) in [
        (
            include_str!("../../docs/from-python.md"),
            30,
            include_str!("../../examples/from_python.rs"),
        ),
        (
            include_str!("../../docs/emulator.md"),
            1,
            include_str!("../memory/with_the_emulator.rs"),
        ),
        (
            include_str!("../../docs/operations.md"),
            1,
            include_str!("../../examples/resume/main.rs"),
        ),
    ] {
        let runs = squeezed(runs);
        let blocks = blocks(page, "rust");
        assert!(blocks.len() >= least, "the page has lost its blocks");
        for block in blocks {
            assert!(runs.contains(&squeezed(block)), "does not run:\n{block}");
        }
    }
}

/// Pasted from top to bottom, the page compiles: the example has its blocks in this order, in one function,
/// and defines nothing of its own between them.
#[test]
fn page_for_python_users_compiles_as_a_whole() {
    let example = squeezed(include_str!("../../examples/from_python.rs"));
    let blocks = blocks(include_str!("../../docs/from-python.md"), "rust");
    let mut rest = example.as_str();
    for (number, block) in blocks.into_iter().enumerate() {
        let (between, after) = rest.split_once(&squeezed(block)).unwrap_or_else(|| {
            panic!("not in the order of the page:\n{block}");
        });
        // The first two blocks, the names and the workspace, stand in front of the example's own set-up.
        if number > 1 {
            // The page's workspace would be one of Azure.
            let between = between.replace("letws=emulated(emulator)?;", "");
            let defines = between.split(';').any(|line| line.starts_with("let"));
            let before_a_brace = between.split('}').next().unwrap_or_default();
            let leaves_the_scope = between.contains('}') && !before_a_brace.contains('{');
            assert!(!defines && !leaves_the_scope, "{between}");
        }
        rest = after;
    }
}

#[test]
fn commands_of_the_readme_are_the_two_that_a_newcomer_needs() {
    let commands: Vec<&str> = blocks(include_str!("../../README.md"), "sh")
        .into_iter()
        .flat_map(str::lines)
        .collect();
    assert_eq!(
        commands,
        [
            "cargo run --example quickstart --features emulator",
            "cargo test --all-features"
        ]
    );
}

/// Every page of the repository, by its path.
fn pages() -> BTreeMap<PathBuf, String> {
    fn add(folder: &Path, root: &Path, pages: &mut BTreeMap<PathBuf, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(&path, root, pages);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let text = std::fs::read_to_string(&path).unwrap();
                pages.insert(path.strip_prefix(root).unwrap().to_owned(), text);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = BTreeMap::new();
    for folder in ["docs", "examples"] {
        add(&root.join(folder), root, &mut pages);
    }
    for page in [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
    ] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        pages.insert(page.into(), text);
    }
    pages
}

/// The lines of a page outside of fenced blocks, without what is in backticks.
fn prose(page: &str) -> String {
    let mut prose = String::new();
    for (number, part) in page.split("```").enumerate() {
        if number % 2 == 0 {
            prose.extend(part.split('`').step_by(2));
        }
    }
    prose
}

/// The anchors of a page's headings, as they are made on forges and by rustdoc.
fn anchors(page: &str) -> BTreeSet<String> {
    let outside = page.split("```").step_by(2).flat_map(str::lines);
    let headings = outside.filter_map(|line| line.strip_prefix('#'));
    headings
        .map(|heading| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            heading
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

/// The texts between `begin` and the next `end`.
fn between<'a>(text: &'a str, begin: &str, end: char) -> BTreeSet<&'a str> {
    let rests = text.split(begin).skip(1);
    rests
        .filter_map(|rest| Some(rest.split_once(end)?.0))
        .collect()
}

/// The definitions of references: `[label]: target` at the start of a line.
fn definitions(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().filter_map(|line| line.strip_prefix('['));
    lines.filter_map(|line| line.split_once("]: ")).collect()
}

#[test]
fn links_of_the_pages_lead_somewhere() {
    let pages = pages();
    let mut checked = 0;
    for (path, text) in &pages {
        let prose = prose(text);
        let defined = definitions(&prose);
        let used = between(&prose, "][", ']');
        for label in &used {
            assert!(
                defined.contains_key(label),
                "{path:?}: [{label}] is not defined"
            );
        }
        let mut targets = between(&prose, "](", ')');
        for (label, target) in defined {
            assert!(used.contains(label), "{path:?}: [{label}] is not used");
            targets.insert(target);
        }
        for target in targets.into_iter().filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = path.parent().unwrap();
            let mut there = PathBuf::new();
            for part in folder.join(file).components() {
                match part {
                    Component::ParentDir => assert!(there.pop(), "{path:?}: {target}"),
                    part => there.push(part),
                }
            }
            let there = if file.is_empty() { path } else { &there };
            let exists = Path::new(env!("CARGO_MANIFEST_DIR")).join(there).exists();
            assert!(exists, "{path:?}: no file {target}");
            if !anchor.is_empty() {
                let anchors = anchors(&pages[there]);
                assert!(anchors.contains(anchor), "{path:?}: no heading {target}");
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "the check has lost its links: {checked}");
}

/// On docs.rs the pages are modules: a link to another page is a reference, for which `_documentation` has another
/// definition than the file.
#[test]
fn links_between_rendered_pages_are_defined_for_rustdoc() {
    let rendered = include_str!("../../src/_documentation.rs");
    let known = definitions(rendered);
    let mut checked = 0;
    for (path, text) in pages() {
        let file = path.strip_prefix("docs").ok().and_then(Path::to_str);
        let Some(file) = file.filter(|file| rendered.contains(&format!("{file:?})"))) else {
            continue;
        };
        let prose = prose(&text);
        for target in between(&prose, "](", ')') {
            let leads_out = target.contains("://") || target.starts_with('#');
            assert!(
                leads_out,
                "{file}: make a reference of the link to {target}"
            );
        }
        for (label, target) in definitions(&prose) {
            assert_eq!(label, target, "{file}");
            let (page, anchor) = label.split_once(".md").unwrap();
            let name = page.rsplit('/').next().unwrap().replace('-', "_");
            let expected = format!("crate::_documentation::{name}{anchor}");
            assert_eq!(
                known.get(label),
                Some(&expected.as_str()),
                "{file}: src/_documentation.rs needs\n[{label}]: {expected}"
            );
            checked += 1;
        }
    }
    assert!(checked > 30, "the check has lost its links: {checked}");
}

/// The rows of `docs/articles.md`: the numbers of the statements, and the cell that says where they are here.
fn statements() -> Vec<(Vec<&'static str>, &'static str)> {
    let lines = include_str!("../../docs/articles.md").lines();
    let rows = lines.filter(|line| line.starts_with("| A"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").collect();
        let [numbers, _, here] = cells[..] else {
            panic!("{row}");
        };
        (numbers.split(", ").collect(), here)
    })
    .collect()
}

#[test]
fn each_statement_of_the_articles_has_one_row() {
    let mut expected: Vec<String> = (1..=86).map(|number| format!("A1.{number}")).collect();
    expected.extend((1..=70).map(|number| format!("A2.{number}")));
    let mut numbers: Vec<&str> = statements().into_iter().flat_map(|row| row.0).collect();
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(count, numbers.len(), "a statement has two rows");
    expected.sort_unstable();
    assert_eq!(numbers, expected);
}

/// The public items of `docs/api.md`: `Type` and `Type::member`.
fn items() -> BTreeSet<String> {
    let lines = include_str!("../../docs/api.md").lines();
    let items = lines.filter_map(|line| {
        let (_, path) = line.split_once("pub ")?.1.split_once("azureml_aks::")?;
        // Without type parameters, so that a member follows its type.
        let mut depth = 0_u32;
        let path: String = path
            .chars()
            .filter(|c| {
                depth += u32::from(*c == '<');
                let inside = depth > 0;
                depth = depth.saturating_sub(u32::from(*c == '>'));
                !inside
            })
            .collect();
        let path = path.split([' ', '(']).next()?.trim_end_matches(':');
        let mut parts = path.rsplit("::");
        let last = parts.next()?.to_owned();
        let member = parts.next().map(|parent| format!("{parent}::{last}"));
        Some([last].into_iter().chain(member))
    });
    items.flatten().collect()
}

/// An item stands in `docs/api.md`, and a rule in `docs/validation.md`; the links are checked with all others.
#[test]
fn items_that_the_table_of_articles_names_exist() {
    let rules = include_str!("../../docs/validation.md");
    let items = items();
    let mut checked = 0;
    for (numbers, here) in statements() {
        let names: Vec<&str> = here.split('`').skip(1).step_by(2).collect();
        let says_where = !names.is_empty() || here.contains("][") || here.contains("*not here*");
        assert!(says_where, "{numbers:?} is nowhere");
        for name in names {
            let is_rule = rules.contains(&format!("| `{name}` |"));
            // The members of an alias are listed with its type.
            let is_item = items.contains(&name.replace("AksCompute::", "ComputeTarget::"));
            let is_command = name.starts_with("az ");
            assert!(
                is_rule || is_item || is_command,
                "{numbers:?}: no item or rule {name}"
            );
            checked += 1;
        }
    }
    assert!(checked > 80, "the check has lost its names: {checked}");
}

//! The tables of `docs/validation.md`, generated from the registry.

use super::{Rule, Section, all, sections};
use std::fmt::Write;

const COMMAND: &str = "UPDATE_PAGES=1 cargo test --lib rules::page";
const BEGIN: &str = "<!-- Generated from src/rules/: do not edit. -->\n";
const END: &str = "<!-- End of what is generated. -->\n";

fn cells(rule: &Rule) -> [String; 6] {
    [
        format!("`{}`", rule.id),
        rule.severity.to_string(),
        rule.holds.to_owned(),
        rule.broken_by.to_owned(),
        rule.remedy.to_owned(),
        rule.source.to_owned(),
    ]
}

fn table(page: &mut String, section: &Section) {
    let Section { title, needs, .. } = section;
    write!(page, "\n### {title}\n\n").unwrap();
    for feature in *needs {
        write!(page, "Checked with the feature `{feature}`.\n\n").unwrap();
    }
    page.push_str("| rule | severity | what must hold | broken by | remedy | source |\n");
    page.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for rule in section.rules {
        writeln!(page, "| {} |", cells(rule).join(" | ")).unwrap();
    }
}

/// Returns `page` with the tables of the registry between the two marks.
fn regenerated(page: &str) -> String {
    let (head, rest) = page.split_once(BEGIN).expect("the page has its first mark");
    let (_, tail) = rest.split_once(END).expect("the page has its second mark");
    let mut tables = String::new();
    sections().for_each(|section| table(&mut tables, section));
    [head, BEGIN, &tables, "\n", END, tail].concat()
}

#[test]
fn page_of_rules_has_the_tables_of_the_registry() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/validation.md");
    let page = std::fs::read_to_string(path).unwrap();
    let fresh = regenerated(&page);
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(path, &fresh).unwrap();
    } else if page != fresh {
        let odd = page
            .lines()
            .zip(fresh.lines())
            .find(|(old, new)| old != new);
        panic!("docs/validation.md is stale: run `{COMMAND}`; the first difference: {odd:#?}");
    }
}

#[test]
fn every_cell_of_the_page_is_one_line_of_text() {
    for cell in all().flat_map(cells) {
        assert!(!cell.trim().is_empty() && cell.trim() == cell, "{cell:?}");
        assert!(!cell.contains(['|', '\n']), "{cell:?}");
        assert!(!cell.ends_with('.') || cell.ends_with(".."), "{cell:?}");
        assert_eq!(cell.matches('`').count() % 2, 0, "{cell:?}");
    }
}

//! Every text that a person may read: errors, findings, remedies, progress and logs.
//!
//! The texts are read from the source, so that none is missed because no test reaches it. The snapshot can
//! be read from top to bottom. To renew it: `INSTA_UPDATE=always cargo test --lib tests::texts`.

use crate::error::redact::redact;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use syn::visit::{self, Visit};
use syn::{Attribute, ExprMethodCall, ImplItemFn, ItemFn, ItemMod, LitStr, Macro};

/// The sources whose texts are not checked here: the emulator writes the texts of the service, the registry has
/// a page of its own, and benches and fuzz targets write for maintainers.
const ELSEWHERE: [&str; 3] = ["emulator", "rules", "internals"];

/// Macros whose texts only a defect of the library shows.
const DEFECTS: [&str; 6] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "panic",
    "unreachable",
];

/// The texts of one file, in its order.
#[derive(Default)]
struct Texts(Vec<String>);

impl Texts {
    fn add(&mut self, text: &str) {
        let is_text = text.contains(' ') && text.contains(char::is_alphabetic);
        if is_text && !self.0.iter().any(|known| known == text) {
            self.0.push(text.to_owned());
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                // An attribute: its texts are for rustdoc and lints.
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let attribute = |next: &TokenTree| matches!(next, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket);
                    tokens.next_if(attribute);
                }
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse2::<LitStr>(TokenTree::Literal(literal).into()) {
                        self.add(&text.value());
                    }
                }
                _ => {}
            }
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let of_tests = |meta: &syn::MetaList| meta.tokens.to_string() == "test";
        attribute.path().is_ident("test") || attribute.meta.require_list().is_ok_and(of_tests)
    })
}

impl<'ast> Visit<'ast> for Texts {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("error")
            && let Ok(list) = attribute.meta.require_list()
        {
            self.tokens(list.tokens.clone());
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        // The text of `expect` is for maintainers.
        match call.method == "expect" {
            true => self.visit_expr(&call.receiver),
            false => visit::visit_expr_method_call(self, call),
        }
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let name = call.path.segments.last().map(|name| name.ident.to_string());
        if !name.is_some_and(|name| DEFECTS.contains(&name.as_str())) {
            self.tokens(call.tokens.clone());
        }
    }

    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.add(&text.value());
    }
}

/// Reads a file and the modules that it declares, but for those of tests.
///
/// # Arguments
///
/// * `path` - of the file, below `src`
/// * `children` - the folder of its modules, below `src`
fn read(path: &str, children: &Path, found: &mut Vec<(String, Vec<String>)>) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let file = syn::parse_file(&fs::read_to_string(source.join(path)).unwrap()).unwrap();
    let mut texts = Texts::default();
    texts.visit_file(&file);
    if !texts.0.is_empty() {
        found.push((path.to_owned(), texts.0));
    }
    for item in file.items {
        let syn::Item::Mod(module) = item else {
            continue;
        };
        let name = children.join(module.ident.to_string());
        let below = name.to_str().unwrap();
        if module.content.is_some() || is_test(&module.attrs) || ELSEWHERE.contains(&below) {
            continue;
        }
        let folder = format!("{below}/mod.rs");
        let path = match source.join(&folder).exists() {
            true => folder,
            false => format!("{below}.rs"),
        };
        read(&path, &name, found);
    }
}

/// The texts of each file that has any.
fn texts() -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    read("lib.rs", Path::new(""), &mut found);
    found.sort();
    found
}

#[test]
fn texts_are_those_of_the_snapshot() {
    let mut all = String::new();
    for (file, texts) in texts() {
        writeln!(all, "{file}").unwrap();
        for text in texts {
            writeln!(all, "    {}", text.replace('\n', "\\n")).unwrap();
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("texts", all));
}

#[test]
fn texts_of_the_library_are_not_taken_for_secrets() {
    let mut taken = Vec::new();
    for (file, texts) in texts() {
        // The markers of PEM, which the library searches for and never shows.
        for text in texts.iter().filter(|text| !text.starts_with("-----")) {
            if redact(text) != *text {
                taken.push(format!("{file}: {text}"));
            }
        }
    }
    assert!(taken.is_empty(), "{taken:#?}");
}

/// Wording that a reader stumbles over; CONTRIBUTING.md says how to put it instead.
#[test]
fn texts_avoid_the_wordings_that_readers_stumble_over() {
    const ODD: [&str; 8] = [
        " is no ",
        " are no ",
        "that is none",
        "cannot be said",
        "held against",
        "asked for patience",
        "a look",
        "borne",
    ];
    let mut odd = Vec::new();
    for (file, texts) in texts() {
        for text in texts {
            let plain = text
                .replace("there is no ", "")
                .replace("there are no ", "");
            if ODD.iter().any(|wording| plain.contains(wording)) {
                odd.push(format!("{file}: {text}"));
            }
        }
    }
    assert!(odd.is_empty(), "{odd:#?}");
}

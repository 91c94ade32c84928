//! Prints what the file of rustdoc's JSON that the first argument names says is public, an item a line.

use public_api::Builder;
use std::process::exit;

fn main() {
    let Some(file) = std::env::args_os().nth(1) else {
        eprintln!("usage: api-lister FILE");
        exit(2);
    };
    let listed = Builder::from_rustdoc_json(file)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .include_function_parameter_names(true)
        .build();
    let api = listed.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        eprintln!("Each Rust writes one version of the JSON: Cargo.toml here says which `public-api` reads it.");
        exit(1);
    });
    let mut block = Block::default();
    for item in api.items() {
        block.add(item.to_string());
    }
    block.end();
}

/// The `impl` that the next items may belong to.
#[derive(Default)]
struct Block {
    header: String,
    /// Those of a type itself, kept back until the block ends.
    methods: Vec<String>,
}

impl Block {
    fn add(&mut self, line: String) {
        if line.starts_with("impl") {
            // One type's blocks are one here, so that a method may move from one to another.
            if line != self.header {
                self.end();
                self.header = line;
                self.begin();
            }
        } else if self.is_inherent() && is_function(&line) {
            self.methods.push(line);
        } else if self.implements(&line) {
            // The trait gives the signatures of its functions, and not its types.
            if !is_function(&line) {
                println!("{line}");
            }
        } else {
            self.end();
            println!("{line}");
        }
    }

    fn is_inherent(&self) -> bool {
        !self.header.is_empty() && !self.header.contains(" for ")
    }

    fn begin(&self) {
        // The methods' own lines say all that a header without generics does. `StructuralPartialEq` is the
        // compiler's mark of a derived `PartialEq`.
        let says_more = !self.is_inherent() || self.header.starts_with("impl<");
        if says_more && !self.header.contains("::StructuralPartialEq for ") {
            println!("{}", self.header);
        }
    }

    /// Tells whether the line is an item of this implementation of a trait.
    fn implements(&self, line: &str) -> bool {
        let Some((_, of)) = self.header.split_once(" for ") else {
            return false;
        };
        let of = of.split(['<', ' ']).next().unwrap_or_default();
        let rest = path(line).strip_prefix(of);
        rest.is_some_and(|rest| rest.starts_with("::") || rest.starts_with('<'))
    }

    fn end(&mut self) {
        self.methods.sort_by(|a, b| (path(a), a).cmp(&(path(b), b)));
        for line in self.methods.drain(..) {
            println!("{line}");
        }
        self.header.clear();
    }
}

fn is_function(line: &str) -> bool {
    line.contains(" fn ")
}

/// The path that follows the keywords.
fn path(line: &str) -> &str {
    line.split(' ')
        .find(|word| word.contains("::"))
        .unwrap_or_default()
}

//! `--query`: JMESPath on the JSON that a command shows.

use jmespath::ast::Ast;
use jmespath::{Expression, Variable};
use serde_json::{Map, Value};

/// A query that was parsed.
#[derive(Clone)]
pub(crate) struct Query {
    expression: Expression<'static>,
    /// The keys of each `{name: …}` of the query, in the order in which they were written: the results of the
    /// library have theirs sorted.
    hashes: Vec<Vec<String>>,
}

impl Query {
    /// # Errors
    ///
    /// A text if the expression is not valid.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let compiled = jmespath::compile(text).or_else(|error| {
            // As `az`, which reads a literal that is not JSON as a text.
            jmespath::compile(&quoted(text)).map_err(|_| error)
        });
        let expression = compiled.map_err(|error| {
            let why = error.to_string();
            let why = why.lines().next().unwrap_or_default();
            let mut message = format!("{why}.");
            if lost_literal(text) {
                message += " A comparison has nothing to compare with: in double quotes a POSIX shell runs what stands \
                            between backticks as a command. Put the query into single quotes.";
            }
            message
        })?;
        let mut hashes = Vec::new();
        collect(expression.as_ast(), &mut hashes);
        Ok(Self { expression, hashes })
    }

    /// # Errors
    ///
    /// A text if the query cannot be applied to this value.
    pub(crate) fn apply(&self, value: &Value) -> Result<Value, String> {
        let data = Variable::try_from(value).map_err(|error| error.to_string())?;
        let found = self
            .expression
            .search(data)
            .map_err(|error| format!("the query failed: {error}"))?;
        serde_json::to_value(&*found).map_err(|error| error.to_string())
    }

    /// The keys of an object in the order of the query, or sorted where the query did not make the object.
    pub(crate) fn order(&self, map: &Map<String, Value>) -> Vec<String> {
        let made = self
            .hashes
            .iter()
            .find(|keys| keys.len() == map.len() && keys.iter().all(|key| map.contains_key(key)));
        match made {
            Some(keys) => keys.clone(),
            None => map.keys().cloned().collect(),
        }
    }
}

/// The expression with `` `x` `` as `` `"x"` ``, where the literal is not JSON.
fn quoted(text: &str) -> String {
    let (mut done, mut literal) = (String::new(), None::<String>);
    let (mut quote, mut escaped) = (None, false);
    for character in text.chars() {
        let plain = !escaped;
        escaped = character == '\\' && plain;
        match (&mut literal, quote) {
            (Some(inner), _) if character == '`' && plain => {
                let json = serde_json::from_str::<Value>(inner).is_ok();
                let inner = if json {
                    inner.clone()
                } else {
                    Value::from(inner.trim_start()).to_string()
                };
                done += &format!("`{inner}`");
                literal = None;
            }
            (Some(inner), _) => inner.push(character),
            (None, None) if character == '`' => literal = Some(String::new()),
            (None, open) => {
                if plain && matches!(character, '\'' | '"') {
                    quote = match open {
                        None => Some(character),
                        Some(open) if open == character => None,
                        other => other,
                    };
                }
                done.push(character);
            }
        }
    }
    done
}

/// Whether a comparison has no right side, as when a shell took the backticks away.
fn lost_literal(text: &str) -> bool {
    ["==", "!=", "<", ">", "<=", ">="].iter().any(|comparator| {
        text.match_indices(comparator).any(|(at, found)| {
            let rest = text[at + found.len()..].trim_start();
            rest.is_empty() || rest.starts_with([']', ')', '&', '|'])
        })
    })
}

fn collect(ast: &Ast, hashes: &mut Vec<Vec<String>>) {
    let parts: Vec<&Ast> = match ast {
        Ast::MultiHash { elements, .. } => {
            hashes.push(elements.iter().map(|pair| pair.key.clone()).collect());
            elements.iter().map(|pair| &pair.value).collect()
        }
        Ast::MultiList { elements, .. } => elements.iter().collect(),
        Ast::Function { args, .. } => args.iter().collect(),
        Ast::Comparison { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. } => vec![lhs, rhs],
        Ast::Condition {
            predicate, then, ..
        } => vec![predicate, then],
        Ast::Expref { ast, .. } => vec![ast],
        Ast::Flatten { node, .. } | Ast::Not { node, .. } | Ast::ObjectValues { node, .. } => {
            vec![node]
        }
        Ast::Identity { .. }
        | Ast::Field { .. }
        | Ast::Index { .. }
        | Ast::Literal { .. }
        | Ast::Slice { .. } => Vec::new(),
    };
    parts.into_iter().for_each(|part| collect(part, hashes));
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Query({})", self.expression)
    }
}

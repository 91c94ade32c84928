//! How a result is printed: the formats of `az`.

use crate::query::Query;
use clap::ValueEnum;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::io::{self, Write};

/// The formats of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Indented by two, keys sorted.
    Json,
    /// Like json; az adds colours.
    Jsonc,
    /// Columns for a person.
    Table,
    /// Values between tabs, for scripts.
    Tsv,
    /// Keys sorted.
    Yaml,
    /// Like yaml; az adds colours.
    Yamlc,
    /// Nothing.
    None,
}

/// The columns of a command's own table: the header, and the path of the value in the JSON.
pub(crate) type Columns = &'static [(&'static str, &'static str)];

/// The result of a command.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// The value that `-o json` prints, and that `--query` is asked on.
    pub(crate) value: Value,
    /// The table's columns; all scalar members when there are none.
    pub(crate) columns: Option<Columns>,
    /// The rows of the table where they are not those of `value`.
    pub(crate) rows: Option<Value>,
    /// The whole table, where it is made elsewhere.
    pub(crate) own_table: Option<String>,
    /// A text to print as it is when no format was asked for.
    pub(crate) text: Option<String>,
}

impl Shown {
    pub(crate) fn new(value: Value) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }

    pub(crate) fn table(value: Value, columns: Columns) -> Self {
        Self {
            value,
            columns: Some(columns),
            ..Self::default()
        }
    }

    /// Nothing to print.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    pub(crate) fn text(text: String) -> Self {
        Self {
            value: Value::String(text.clone()),
            text: Some(text),
            ..Self::default()
        }
    }

    /// Returns what goes to standard output. `format` is `None` where the caller asked for none.
    ///
    /// # Errors
    ///
    /// A text if the query fails on this value, as a function does that is given another type than it takes.
    pub(crate) fn render(
        self,
        format: Option<Format>,
        query: Option<&Query>,
    ) -> Result<String, String> {
        if let (Some(text), None, None) = (&self.text, format, query) {
            let mut text = printable(text).into_owned();
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            return Ok(text);
        }
        let format = format.unwrap_or(Format::Json);
        let value = match query {
            Some(query) => query.apply(&self.value)?,
            None => self.value,
        };
        if value.is_null() {
            return Ok(String::new());
        }
        let order = |map: &Map<String, Value>| match query {
            Some(query) => query.order(map),
            None => map.keys().cloned().collect(),
        };
        Ok(match format {
            Format::None => String::new(),
            Format::Json | Format::Jsonc => json(&value),
            Format::Yaml | Format::Yamlc => yaml(&value)?,
            Format::Tsv => tsv(&value, &order),
            Format::Table => {
                if let (None, Some(table)) = (query, self.own_table) {
                    return Ok(printable(&table).into_owned());
                }
                let own = if query.is_none() { self.columns } else { None };
                let value = match (query, self.rows) {
                    (None, Some(rows)) => rows,
                    _ => value,
                };
                table(&rows(value, own, &order))
            }
        })
    }
}

type Order<'o> = &'o dyn Fn(&Map<String, Value>) -> Vec<String>;
type Row = Vec<(String, String)>;

fn json(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut safe = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        // The serializer escapes the control characters below a space, and leaves these.
        match steers(character) && !character.is_ascii_whitespace() {
            true => safe.push_str(&format!("\\u{:04x}", u32::from(character))),
            false => safe.push(character),
        }
    }
    safe.push('\n');
    safe
}

fn yaml(value: &Value) -> Result<String, String> {
    let mut value = value.clone();
    clean(&mut value);
    let mut text = yaml_serde::to_string(&value).map_err(|error| error.to_string())?;
    if !value.is_object() && !value.is_array() {
        text.push_str("...\n");
    }
    Ok(text)
}

fn tsv(value: &Value, order: Order<'_>) -> String {
    let items = match value {
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    };
    let mut text = String::new();
    for item in items {
        match item {
            Value::Object(map) => {
                let keys = order(map);
                let cells: Vec<_> = keys.iter().map(|key| tsv_cell(&map[key])).collect();
                text.push_str(&cells.join("\t"));
            }
            Value::Array(cells) => {
                let cells: Vec<_> = cells.iter().map(tsv_cell).collect();
                text.push_str(&cells.join("\t"));
            }
            Value::Bool(flag) => text.push_str(&flag.to_string()),
            Value::Null => {}
            scalar => text.push_str(&plain(scalar)),
        }
        text.push('\n');
    }
    text
}

fn tsv_cell(value: &Value) -> String {
    match value {
        Value::Array(items) => items.len().to_string(),
        Value::Object(_) => String::new(),
        Value::Null => "None".to_owned(),
        scalar => plain(scalar),
    }
}

/// A scalar as Python writes it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text).into_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A value within a cell, as Python writes it in a list.
fn repr(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let text = printable(text).replace('\\', "\\\\").replace('\n', "\\n");
            match text.contains('\'') && !text.contains('"') {
                true => format!("\"{text}\""),
                false => format!("'{}'", text.replace('\'', "\\'")),
            }
        }
        Value::Null => "None".to_owned(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let key = |key: &String| repr(&Value::String(key.clone()));
            let members: Vec<_> = map
                .iter()
                .map(|(name, value)| format!("{}: {}", key(name), repr(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        scalar => plain(scalar),
    }
}

/// A cell of a table: one line.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Array(_) | Value::Object(_) => repr(value),
        scalar => plain(scalar),
    };
    text.replace(['\n', '\t'], " ")
}

/// The keys that `az` leaves out of tables.
const SKIPPED: [&str; 3] = ["id", "type", "etag"];

fn rows(value: Value, own: Option<Columns>, order: Order<'_>) -> Vec<Row> {
    let items = match value {
        Value::Array(items) => items,
        one => vec![one],
    };
    let row = |item: &Value| match (own, item) {
        (Some(columns), Value::Object(_)) => {
            let cells = columns.iter().filter_map(|(header, path)| {
                let value = item.pointer(path)?;
                let text = own_cell(header, value);
                (!text.is_empty()).then(|| ((*header).to_owned(), text))
            });
            cells.collect()
        }
        (_, Value::Object(map)) => {
            let keys = order(map)
                .into_iter()
                .filter(|key| !SKIPPED.contains(&key.as_str()));
            let cells = keys.filter_map(|key| {
                let value = &map[&key];
                let scalar = !value.is_null() && !value.is_array() && !value.is_object();
                scalar.then(|| (capital(&key), cell(value)))
            });
            cells.collect()
        }
        (_, Value::Array(cells)) => {
            let cells = cells.iter().enumerate();
            cells
                .map(|(at, value)| (format!("Column{}", at + 1), cell(value)))
                .collect()
        }
        (_, scalar) => vec![("Result".to_owned(), cell(scalar))],
    };
    items.iter().map(row).collect()
}

/// A cell of a command's own table. Times are cut after the seconds; tags are `name=value`.
fn own_cell(header: &str, value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let members: Vec<_> = map
                .iter()
                .map(|(name, value)| format!("{name}={}", plain(value)))
                .collect();
            members.join(", ").replace(['\n', '\t'], " ")
        }
        Value::String(time) if header.ends_with("Time") || header == "UpdatedAt" => {
            cell(&Value::from(time.get(..19).unwrap_or(time)))
        }
        other => cell(other),
    }
}

fn capital(key: &str) -> String {
    let mut characters = key.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}

/// Columns stand in the order in which they first appear; a header is at least two wider than its text.
fn table(rows: &[Row]) -> String {
    let mut headers: Vec<&str> = Vec::new();
    for (header, _) in rows.iter().flatten() {
        if !headers.contains(&header.as_str()) {
            headers.push(header);
        }
    }
    if headers.is_empty() {
        return "\n".to_owned();
    }
    let of = |row: &Row, header: &str| {
        let found = row.iter().find(|(own, _)| own == header);
        found
            .map(|(_, text)| printable(text).into_owned())
            .unwrap_or_default()
    };
    let widths: Vec<usize> = headers
        .iter()
        .map(|header| {
            let cells = rows.iter().map(|row| of(row, header).chars().count());
            cells.max().unwrap_or(0).max(header.chars().count() + 2)
        })
        .collect();
    let line = |cells: Vec<String>| {
        let cells: Vec<_> = cells
            .iter()
            .zip(&widths)
            .map(|(text, width)| format!("{text:<width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(
        headers
            .iter()
            .map(|header| printable(header).into_owned())
            .collect(),
    );
    text += &line(widths.iter().map(|width| "-".repeat(*width)).collect());
    for row in rows {
        text += &line(headers.iter().map(|header| of(row, header)).collect());
    }
    text
}

/// Whether a character would steer the terminal or turn the direction of writing.
fn steers(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text without what would steer a terminal. Line breaks and tabs stay.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let bad = |character: char| steers(character) && character != '\n' && character != '\t';
    match text.contains(bad) {
        true => Cow::Owned(text.replace(bad, "")),
        false => Cow::Borrowed(text),
    }
}

fn clean(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(plain) = printable(text) {
                *text = plain;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(map) => map.values_mut().for_each(clean),
        _ => {}
    }
}

/// Writes a line to standard error. Where nobody reads it any more, the command goes on.
pub(crate) fn say(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes the result. A closed pipe is not an error, because a reader such as `head` may stop early.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

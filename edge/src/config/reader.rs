//! TOML keys by name, with every mistake kept: missing, wrong type, out of range, unknown.

use kompas_field::Finding;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Reads a table key by key and remembers what was wrong and what was asked for.
pub(super) struct Reader<'a> {
    table: &'a toml::Table,
    folder: &'a Path,
    findings: Vec<Finding>,
    asked: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    /// Paths are relative to `folder`.
    pub(super) const fn new(table: &'a toml::Table, folder: &'a Path) -> Self {
        Self { table, folder, findings: Vec::new(), asked: BTreeSet::new() }
    }

    fn get(&mut self, key: &str) -> Option<&'a toml::Value> {
        self.asked.insert(key.to_owned());
        let mut parts = key.split('.');
        let mut value = self.table.get(parts.next()?)?;
        for part in parts {
            value = value.as_table()?.get(part)?;
        }
        Some(value)
    }

    /// Whether a person wrote the key at all.
    pub(super) fn is_given(&mut self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The keys asked for so far.
    #[cfg(test)]
    pub(super) const fn asked(&self) -> &BTreeSet<String> {
        &self.asked
    }

    pub(super) fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn wrong(&mut self, key: &str, value: impl std::fmt::Display, cause: String, remedy: &str) {
        self.find(Finding::error("config.value", format!("{key} = {value}"), cause, remedy));
    }

    fn missing(&mut self, key: &str, allowed: &str, remedy: &str) {
        let cause = format!("missing; allowed is {allowed}");
        self.find(Finding::error("config.missing", key, cause, remedy));
    }

    /// A number within a range; without a default it must be there.
    pub(super) fn number(
        &mut self,
        key: &str,
        default: Option<f64>,
        allowed: RangeInclusive<f64>,
        remedy: &str,
    ) -> f64 {
        let (low, high) = (*allowed.start(), *allowed.end());
        let fallback = default.unwrap_or(low);
        match self.get(key) {
            None => {
                if default.is_none() {
                    self.missing(key, &format!("{low} to {high}"), remedy);
                }
                fallback
            }
            Some(toml::Value::Float(value)) if allowed.contains(value) => *value,
            #[expect(
                clippy::cast_precision_loss,
                reason = "a whole number out of 2^53 is out of range anyway"
            )]
            Some(toml::Value::Integer(value)) if allowed.contains(&(*value as f64)) => *value as f64,
            Some(value) => {
                self.wrong(key, value, format!("allowed is a number from {low} to {high}"), remedy);
                fallback
            }
        }
    }

    /// A text, where there is one.
    pub(super) fn optional_text(&mut self, key: &str, remedy: &str) -> Option<String> {
        match self.get(key)? {
            toml::Value::String(text) if !text.is_empty() => Some(text.clone()),
            value => {
                self.wrong(key, value, "allowed is a text that is not empty".to_owned(), remedy);
                None
            }
        }
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, key: &str, remedy: &str) -> Option<String> {
        if self.get(key).is_none() {
            self.missing(key, "a text", remedy);
            return None;
        }
        self.optional_text(key, remedy)
    }

    /// A text that reads as `T`; with an error that says what is allowed.
    pub(super) fn parsed<T>(&mut self, key: &str, default: Option<&str>, remedy: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        let text = match default {
            Some(default) if self.get(key).is_none() => default.to_owned(),
            _ => self.text(key, remedy)?,
        };
        match text.parse() {
            Ok(value) => Some(value),
            Err(why) => {
                self.wrong(key, toml::Value::String(text), why.to_string(), remedy);
                None
            }
        }
    }

    /// One of a few words. The first is the default, where there is one.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &str,
        required: bool,
        words: &[(&str, T)],
        remedy: &str,
    ) -> T {
        let allowed = words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let fallback = words[0].1;
        let Some(value) = self.get(key) else {
            if required {
                self.missing(key, &allowed, remedy);
            }
            return fallback;
        };
        let found = words.iter().find(|(word, _)| value.as_str() == Some(*word));
        found.map_or_else(
            || {
                self.wrong(key, value, format!("allowed is {allowed}"), remedy);
                fallback
            },
            |(_, choice)| *choice,
        )
    }

    /// A path that must be there, relative to the configuration's folder.
    pub(super) fn path(&mut self, key: &str, remedy: &str) -> Option<PathBuf> {
        self.text(key, remedy).map(|text| self.folder.join(text))
    }

    /// A path, where there is one.
    pub(super) fn optional_path(&mut self, key: &str, remedy: &str) -> Option<PathBuf> {
        self.optional_text(key, remedy).map(|text| self.folder.join(text))
    }

    /// A table left to someone else, who finds its mistakes.
    pub(super) fn table(&mut self, key: &str) -> Option<toml::Table> {
        match self.get(key)? {
            toml::Value::Table(table) => Some(table.clone()),
            value => {
                self.wrong(key, value, format!("allowed is a section [{key}]"), "write its keys below [...]");
                None
            }
        }
    }

    /// Every finding, with the keys that nobody asked for.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        let mut leaves = Vec::new();
        collect("", self.table, &self.asked, &mut leaves);
        for key in leaves {
            let near =
                self.asked.iter().min_by_key(|known| distance(known, &key)).cloned().unwrap_or_default();
            let cause = "unknown key".to_owned();
            let remedy = format!("did you mean {near}? Else take it out");
            self.findings.push(Finding::error("config.unknown", key, cause, remedy));
        }
        self.findings
    }
}

/// Dotted names of all values that nobody asked for.
fn collect(prefix: &str, table: &toml::Table, asked: &BTreeSet<String>, out: &mut Vec<String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            _ if asked.contains(&key) => {}
            toml::Value::Table(inner) if !inner.is_empty() => collect(&key, inner, asked, out),
            _ => out.push(key),
        }
    }
}

/// Letters to change to turn one word into the other (Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let kept = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = kept.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

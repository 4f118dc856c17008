//! Where values come from: the file, and before it the environment. What nobody asked for in the end is unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};

/// Read where no file is named.
const DEFAULT_FILE: &str = "pqh.toml";
const PREFIX: &str = "PQH_";
pub(super) const SECTIONS: [&str; 8] =
    ["connections", "egress", "limits", "log", "mail", "retention", "retry", "shutdown"];
/// Has a section for each channel type that people connect.
const CONNECTIONS: &str = "connections";
/// Variables of the command line: no keys, and no mistakes.
const COMMAND_LINE: [&str; 5] = ["CONFIG", "LOG", "SERVER", "TOKEN", "TOKEN_FILE"];
/// As above, by how they begin.
const COMMAND_LINE_PREFIXES: [&str; 2] = ["SECRET_", "SET_"];

/// The file's text and name.
#[derive(Default)]
pub(super) struct File {
    path: PathBuf,
    text: String,
}

impl File {
    /// The file that was named, else the default one where there is one.
    pub(super) fn read(named: Option<&Path>) -> Result<Self, ConfigError> {
        let path = named.unwrap_or(Path::new(DEFAULT_FILE)).to_owned();
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self { path, text }),
            Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(ConfigError::Unreadable { path, reason: error.to_string() }),
        }
    }

    /// The place that starts at this byte.
    fn place(&self, offset: usize) -> Place {
        Place::File { path: self.path.clone(), line: self.line(offset) }
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }
}

/// A value as it was found.
pub(super) enum Value<'a> {
    /// In the file.
    Toml(DeValue<'a>),
    /// In a variable.
    Text(String),
}

/// All values, until they are taken.
pub(super) struct Source<'a> {
    file: BTreeMap<String, (Place, DeValue<'a>)>,
    variables: BTreeMap<String, String>,
    /// Each key that was asked for.
    known: BTreeSet<String>,
    /// The keys of a section of connections.
    connection_keys: &'static [&'static str],
    /// Where those that were found stand.
    places: BTreeMap<String, Place>,
}

impl<'a> Source<'a> {
    pub(super) fn new(
        file: &'a File,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let root = DeTable::parse(&file.text).map_err(|error| ConfigError::Syntax {
            path: file.path.clone(),
            line: file.line(error.span().map_or(0, |span| span.start)),
            // What follows the first line shows the file's text, which our message does not repeat.
            reason: error.message().lines().next().unwrap_or_default().to_owned(),
        })?;
        let mut keys = BTreeMap::new();
        for (name, value) in root.into_inner() {
            let place = file.place(name.span().start);
            match value.into_inner() {
                DeValue::Table(section) if SECTIONS.contains(&name.get_ref().as_ref()) => {
                    for (key, value) in section {
                        let (place, path) =
                            (file.place(key.span().start), format!("{}.{}", name.get_ref(), key.get_ref()));
                        match value.into_inner() {
                            // Their sections have sections of their own, which no version of ours can name.
                            DeValue::Table(inner) if name.get_ref() == CONNECTIONS => {
                                keys.extend(inner.into_iter().map(|(key, value)| {
                                    let place = file.place(key.span().start);
                                    (format!("{path}.{}", key.get_ref()), (place, value.into_inner()))
                                }));
                            }
                            value => drop(keys.insert(path, (place, value))),
                        }
                    }
                }
                value => drop(keys.insert(name.get_ref().to_string(), (place, value))),
            }
        }
        let variables = environment
            .into_iter()
            // An empty one is how scripts leave one out.
            .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty() && !is_foreign(name))
            .collect();
        Ok(Self { file: keys, variables, known: BTreeSet::new(), connection_keys: &[], places: BTreeMap::new() })
    }

    /// The names between `connections.` and one of `keys`, longer keys first: the channel types that are told of.
    pub(super) fn connections(&mut self, keys: &'static [&'static str]) -> BTreeSet<String> {
        self.connection_keys = keys;
        let in_file = self.file.keys().filter_map(|path| {
            let (section, rest) = path.split_once('.')?;
            let (name, _) = rest.rsplit_once('.')?;
            (section == CONNECTIONS).then(|| name.to_owned())
        });
        let prefix = format!("{PREFIX}{}_", CONNECTIONS.to_ascii_uppercase());
        let in_variables = self.variables.keys().filter_map(|variable| {
            let rest = variable.strip_prefix(&prefix)?;
            let name = keys.iter().find_map(|key| rest.strip_suffix(&format!("_{}", key.to_ascii_uppercase())))?;
            Some(name.to_ascii_lowercase().replace('_', "-"))
        });
        in_file.chain(in_variables).collect()
    }

    /// Takes a key's value; the environment's, where both have one.
    pub(super) fn take(&mut self, key: &str) -> Option<Value<'a>> {
        self.known.insert(key.to_owned());
        let variable = variable(key);
        let in_file = self.file.remove(key);
        let (place, value) = match self.variables.remove(&variable) {
            Some(text) => (Place::Variable(variable), Value::Text(text)),
            None => in_file.map(|(place, value)| (place, Value::Toml(value)))?,
        };
        self.places.insert(key.to_owned(), place);
        Some(value)
    }

    /// Whether a key that was taken had a value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }

    /// That a key's value makes no sense.
    pub(super) fn wrong(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        let place = self.places.get(key).cloned().unwrap_or(Place::Unwritten);
        ConfigError::Key { place, key: key.to_owned(), problem: problem.into() }
    }

    /// An error where something is left.
    pub(super) fn finish(self) -> Result<(), ConfigError> {
        if let Some((key, (place, _))) = self.file.into_iter().min_by_key(|(_, (place, _))| line_of(place)) {
            let problem = if SECTIONS.contains(&key.as_str()) {
                format!("expected a section, [{key}]; found a value")
            } else {
                unknown(&self.known, &key)
            };
            return Err(ConfigError::Key { place, key, problem });
        }
        let Some((name, _)) = self.variables.into_iter().next() else { return Ok(()) };
        let key = name.trim_start_matches(PREFIX).to_ascii_lowercase();
        let key = match key.split_once('_') {
            Some((section, rest)) if SECTIONS.contains(&section) => format!("{section}.{rest}"),
            _ => key,
        };
        let problem = if key.starts_with(&format!("{CONNECTIONS}.")) {
            let ends: Vec<String> = self.connection_keys.iter().map(|key| key.to_ascii_uppercase()).collect();
            let prefix = variable(CONNECTIONS);
            format!("expected {prefix}_TYPE_ and one of {}; found {name}", ends.join(", "))
        } else {
            unknown(&self.known, &key)
        };
        Err(ConfigError::Key { place: Place::Variable(name), key, problem })
    }
}

fn line_of(place: &Place) -> usize {
    if let Place::File { line, .. } = place { *line } else { 0 }
}

/// The environment variable of a key.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace(['.', '-'], "_").to_ascii_uppercase())
}

/// Variables that begin like ours and are none of our keys: those of the command line, and those that Kubernetes makes for
/// each of its services, such as one called `pqh`.
fn is_foreign(name: &str) -> bool {
    let rest = name.trim_start_matches(PREFIX);
    COMMAND_LINE.contains(&rest)
        || COMMAND_LINE_PREFIXES.iter().any(|prefix| rest.starts_with(prefix))
        || ["SERVICE_HOST", "PORT"].iter().any(|end| rest.ends_with(end))
        || ["SERVICE_PORT_", "PORT_"].iter().any(|part| rest.contains(part))
}

/// Names the keys beside it.
fn unknown(known: &BTreeSet<String>, key: &str) -> String {
    let section = key.rsplit_once('.').map(|(section, _)| section);
    let beside: Vec<&str> = known
        .iter()
        .filter_map(|known| match (section, known.rsplit_once('.')) {
            (Some(section), Some((other, name))) => (section == other).then_some(name),
            (None, None) => Some(known.as_str()),
            _ => None,
        })
        .collect();
    match section {
        Some(CONNECTIONS) => format!("expected a section of a channel type, such as [{key}]; found a value"),
        Some(section) => format!("nobody knows this key; [{section}] has {}", beside.join(", ")),
        None => {
            format!("nobody knows this key; there are {}, and the sections {}", beside.join(", "), SECTIONS.join(", "))
        }
    }
}

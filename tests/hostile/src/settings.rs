//! What an attack is told: the channel's settings.

use serde::Deserialize;

use crate::types::Configuration;

/// The settings, with all that attacks may be told.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Settings {
    /// The attack's name.
    pub(crate) attack: String,
    /// Where requests go.
    pub(crate) url: String,
    /// Request headers: a JSON array of pairs, as text: `[["x-a", "1"]]`.
    pub(crate) headers: String,
    /// The credentials that requests name, separated by commas.
    pub(crate) credentials: String,
    /// The request's body.
    pub(crate) body: String,
    /// The request's method in upper case; POST where it is empty.
    pub(crate) method: String,
    /// How many, how long or how large, where the attack counts.
    pub(crate) count: String,
    /// The settings' own text, for `echo`.
    #[serde(skip)]
    pub(crate) raw: String,
    /// The names of the credentials that the host says can be placed.
    #[serde(skip)]
    pub(crate) placeable: Vec<String>,
}

impl Settings {
    /// Reads them. What cannot be read is an unknown attack.
    pub(crate) fn read(configuration: &Configuration) -> Self {
        let mut settings: Self = serde_json::from_str(&configuration.settings).unwrap_or_default();
        settings.raw.clone_from(&configuration.settings);
        settings.placeable.clone_from(&configuration.credentials);
        settings
    }

    /// `count`, or what is usual for the attack.
    pub(crate) fn count_or(&self, usual: usize) -> usize {
        self.count.parse().unwrap_or(usual)
    }

    /// The request headers, in the order in which they stand. Pairs in a JSON array may repeat a name.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        serde_json::from_str(&self.headers).unwrap_or_default()
    }

    /// The credentials that requests name.
    pub(crate) fn credentials(&self) -> Vec<String> {
        self.credentials.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }
}

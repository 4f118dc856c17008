//! The applications that the operator registered with services: one for each channel type that people connect.

use std::collections::BTreeMap;

use pqh_runtime::{OauthClient, SecretString};

use crate::config::{Config, ConfigError};

/// An application.
pub(crate) struct Application {
    pub(crate) client: OauthClient,
    /// What proves that a message is the service's: today's secret, and while it changes yesterday's.
    pub(crate) signing_secrets: Vec<SecretString>,
}

/// All of them, by channel type.
pub(crate) struct Applications(BTreeMap<String, Application>);

impl Applications {
    /// Those of the configuration. Reads the files of their secrets.
    pub(crate) fn read(config: &Config) -> Result<Self, ConfigError> {
        let Some(public) = &config.public_url else { return Ok(Self(BTreeMap::new())) };
        let applications = config.connections.iter().map(|(channel_type, section)| {
            let mut redirect = public.clone();
            redirect.set_path(&format!("/oauth/{channel_type}/callback"));
            let client =
                OauthClient { id: section.client_id.clone(), secret: section.client_secret(channel_type)?, redirect };
            Ok((channel_type.clone(), Application { client, signing_secrets: section.signing_secrets(channel_type)? }))
        });
        applications.collect::<Result<_, _>>().map(Self)
    }

    /// The types that have one.
    pub(crate) fn types(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// That of a type.
    pub(crate) fn find(&self, channel_type: &str) -> Option<&Application> {
        self.0.get(channel_type)
    }
}

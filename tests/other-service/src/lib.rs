//! The channel type `other-service`: PKCE, the client in the body, scopes between spaces, tokens deep in the answer. It logs
//! and returns all that it can see.

#![no_std]

extern crate alloc;

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use pqh_channel_sdk::connection::{
    ClientAuthentication, ConnectedWorkspace, Connection, Oauth2Service, TokenAnswer, TokenSecret,
};
use pqh_channel_sdk::prelude::*;
use pqh_channel_sdk::{Workspace, json, log};
use serde::Deserialize;

const TOKEN: &str = "token";

/// The service.
struct OtherService;

/// There is nothing to set.
#[derive(Deserialize)]
struct Settings {}

impl Channel for OtherService {
    type Settings = Settings;

    fn describe() -> Descriptor {
        Descriptor::new("other-service", "Other service", "Tells what it can see.")
            .credential(Credential::new(TOKEN, Placement::bearer()).to_host("other.example"))
    }

    fn check(configuration: &Configuration<Settings>) -> Result<(), Failure> {
        log::info(&format!("{:?}", configuration.credentials));
        Ok(())
    }

    fn deliver(delivery: &Delivery<Settings>) -> Result<Receipt, Failure> {
        let answer =
            Request::post("https://other.example/messages").credential(TOKEN).body("text/plain", "hello").send()?;
        let seen = format!("{} {:?} {:?}", answer.text(), answer.header("x-echo"), delivery.configuration.workspace);
        log::info(&seen);
        Ok(Receipt::new().reference(seen))
    }
}

impl Connection for OtherService {
    fn oauth2() -> Oauth2Service {
        Oauth2Service {
            authorize_url: "https://other.example/login?prompt=consent".to_owned(),
            authorize_parameters: vec![("audience".to_owned(), "messages".to_owned())],
            token_url: "https://other.example/token".to_owned(),
            client_authentication: ClientAuthentication::Body,
            pkce: true,
            scopes: vec!["read".to_owned(), "write".to_owned()],
            scope_separator: " ".to_owned(),
            secrets: vec![TokenSecret { name: TOKEN.to_owned(), pointer: "/grant/bearer/value".to_owned() }],
            visible: vec!["/grant/scope".to_owned(), "/tenant".to_owned(), "/fault".to_owned()],
            refresh_token: Some("/grant/renew".to_owned()),
            expires_in: Some("/grant/seconds".to_owned()),
        }
    }

    fn connected(answer: &TokenAnswer) -> Result<ConnectedWorkspace, Failure> {
        log::info(&answer.visible);
        let said = json::read(answer.visible.as_bytes());
        if let Some(fault) = said["/fault"].as_str() {
            return Err(Failure::unauthorized("fault", fault.to_owned()).remedy(answer.visible.clone()));
        }
        let name = Vec::from([said["/tenant"]["name"].as_str().unwrap_or_default()]).concat();
        let id = said["/tenant"]["key"].to_string();
        let workspace = Workspace { id, name, memo: String::from(&answer.visible) };
        Ok(ConnectedWorkspace::new(workspace))
    }

    fn revoke(_: &Workspace) -> Result<(), Failure> {
        let answer = Request::post("https://other.example/revoke").credential(TOKEN).body("text/plain", "").send()?;
        log::info(&answer.text());
        Ok(())
    }
}

pqh_channel_sdk::export_channel!(OtherService);
pqh_channel_sdk::export_connection!(OtherService);

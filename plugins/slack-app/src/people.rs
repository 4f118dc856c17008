//! Who should respond: e-mail addresses become the Slack users that they belong to, so that Slack tells them.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use pqh_channel_sdk::cache;

use crate::{answers, api};

/// How many addresses are looked up for a message, at most: a call has only so many requests.
const LOOK_UPS: usize = 6;
/// The longest address that is looked up: the cache's keys are short.
const LONGEST: usize = 200;
/// For how many seconds it is remembered who somebody is, and that nobody is.
const KNOWN: u32 = 24 * 3600;
const UNKNOWN: u32 = 3600;

/// People's Slack ids in place of their addresses, where Slack knows them; the others stay text.
pub(crate) fn known(mentions: &[String]) -> Vec<String> {
    let mut left = LOOK_UPS;
    let mut known = |mention: &String| address(mention).and_then(|address| user(&address, &mut left));
    let mut names: Vec<String> = Vec::new();
    for mention in mentions {
        let name = known(mention).unwrap_or_else(|| mention.trim().to_owned());
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// An e-mail address, in lower case.
fn address(mention: &str) -> Option<String> {
    let mention = mention.trim();
    let (local, domain) = mention.rsplit_once('@')?;
    let fits = mention.len() <= LONGEST && !mention.contains(char::is_whitespace);
    (fits && !local.is_empty() && !domain.is_empty()).then(|| mention.to_ascii_lowercase())
}

fn user(address: &str, left: &mut usize) -> Option<String> {
    let key = format!("user:{address}");
    if let Some(known) = cache::get(&key) {
        return Some(known).filter(|id| !id.is_empty());
    }
    *left = left.checked_sub(1)?;
    let id = match api::ask_briefly("users.lookupByEmail", &[("email", address)]) {
        Ok(said) if said["user"]["deleted"] != true => said["user"]["id"].as_str().unwrap_or_default().to_owned(),
        Ok(_) => String::new(),
        Err(failure) if failure.code == "users_not_found" => String::new(),
        Err(failure) => {
            // Nobody else is asked for: that the message goes out matters more than whom it mentions.
            *left = 0;
            answers::warn("people are not looked up", &failure);
            if answers::is_passing(&failure) {
                return None;
            }
            String::new()
        }
    };
    cache::put(&key, &id, if id.is_empty() { UNKNOWN } else { KNOWN });
    Some(id).filter(|id| !id.is_empty())
}

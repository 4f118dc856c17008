//! Who should respond: e-mail addresses become the Slack users that they belong to, so that Slack tells them.

use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::String;

use pqh_channel_sdk::events::Event;
use pqh_channel_sdk::{cache, log};

use crate::{answers, api};

/// How many addresses are looked up for a message, at most: a call has only so many requests.
const LOOK_UPS: usize = 6;
/// How long one may take, in milliseconds.
const PATIENCE: u32 = 2000;
/// The longest address that is looked up: the cache's keys are short.
const LONGEST: usize = 200;
/// For how many seconds it is remembered who somebody is, and that nobody is.
const KNOWN: u32 = 24 * 3600;
const UNKNOWN: u32 = 3600;

/// The event with people's Slack ids in place of their addresses, where Slack knows them; the others stay text.
pub(crate) fn named(event: &Event) -> Cow<'_, Event> {
    let mut named = Cow::Borrowed(event);
    let mut left = LOOK_UPS;
    for (at, mention) in event.mentions.iter().enumerate() {
        if let Some(id) = address(mention).and_then(|address| user(&address, &mut left))
            && let Some(mention) = named.to_mut().mentions.get_mut(at)
        {
            *mention = id;
        }
    }
    named
}

/// An e-mail address, in lower case.
fn address(mention: &str) -> Option<String> {
    let mention = mention.trim();
    let (local, domain) = mention.rsplit_once('@')?;
    let fits = mention.len() <= LONGEST && !mention.contains(char::is_whitespace);
    (fits && !local.is_empty() && !domain.is_empty()).then(|| mention.to_lowercase())
}

fn user(address: &str, left: &mut usize) -> Option<String> {
    let key = format!("user:{address}");
    if let Some(known) = cache::get(&key) {
        return Some(known).filter(|id| !id.is_empty());
    }
    *left = left.checked_sub(1)?;
    match api::ask("users.lookupByEmail", &[("email", address)], Some(PATIENCE)).and_then(|answer| api::read(&answer)) {
        Ok(said) if said["user"]["deleted"] != true => {
            let id = said["user"]["id"].as_str()?.to_owned();
            cache::put(&key, &id, KNOWN);
            Some(id)
        }
        Ok(_) => forget(&key),
        Err(failure) if failure.code == "users_not_found" => forget(&key),
        Err(failure) => {
            // Nobody else is asked for: the message is more urgent than whom it mentions.
            *left = 0;
            log::warn(&format!("people are not looked up: {} ({})", failure.message, failure.code));
            if answers::is_passing(&failure) { None } else { forget(&key) }
        }
    }
}

fn forget(key: &str) -> Option<String> {
    cache::put(key, "", UNKNOWN);
    None
}

//! What a workspace holds: channels, people, user groups, messages.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

/// A person's or a bot's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// `U…` or `W…`.
    pub id: String,
    /// "ada".
    pub name: String,
    /// "Ada Lovelace".
    pub real_name: String,
    /// The address that `users.lookupByEmail` finds; a bot has none.
    pub email: Option<String>,
    /// Whether the account was deactivated.
    pub deleted: bool,
    /// Whether it is a bot.
    pub is_bot: bool,
}

impl User {
    /// A person.
    pub fn new(id: &str, name: &str, real_name: &str, email: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            real_name: real_name.to_owned(),
            email: Some(email.to_owned()).filter(|email| !email.is_empty()),
            deleted: false,
            is_bot: false,
        }
    }

    /// The same, deactivated.
    #[must_use]
    pub fn deleted(mut self) -> Self {
        self.deleted = true;
        self
    }

    /// The same, a bot.
    #[must_use]
    pub fn bot(mut self) -> Self {
        self.is_bot = true;
        self
    }
}

/// A user group, as `<!subteam^S…>` mentions one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserGroup {
    /// `S…`.
    pub id: String,
    /// "On call".
    pub name: String,
    /// "oncall": what people type after `@`.
    pub handle: String,
    /// Ids of its people.
    pub users: Vec<String>,
    /// Whether it was disabled.
    pub is_disabled: bool,
}

impl UserGroup {
    /// An enabled group without people.
    pub fn new(id: &str, name: &str, handle: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            handle: handle.to_owned(),
            users: Vec::new(),
            is_disabled: false,
        }
    }
}

/// What a channel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelKind {
    /// Everybody may join.
    Public,
    /// Whoever is in it invites.
    Private,
    /// With this person.
    Direct(String),
}

/// A public or private channel, or a direct message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// `C…`, `G…` or `D…`.
    pub id: String,
    /// Without `#`; empty for a direct message.
    pub name: String,
    /// What it is.
    pub kind: ChannelKind,
    /// Whether it is archived.
    pub is_archived: bool,
    /// Whether it is the channel that everybody is in.
    pub is_general: bool,
    /// Whether it was deleted: it is known no longer.
    pub is_deleted: bool,
    /// Ids of the people and bots in it.
    pub members: BTreeSet<String>,
    /// The word that each post to it is refused with, such as `restricted_action`.
    pub restriction: Option<&'static str>,
}

impl Channel {
    /// A public channel.
    pub fn public(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            kind: ChannelKind::Public,
            is_archived: false,
            is_general: false,
            is_deleted: false,
            members: BTreeSet::new(),
            restriction: None,
        }
    }

    /// A private channel.
    pub fn private(id: &str, name: &str) -> Self {
        Self { kind: ChannelKind::Private, ..Self::public(id, name) }
    }

    /// The direct message of `bot` with `user`.
    pub(crate) fn direct(id: &str, user: &str, bot: &str) -> Self {
        let members = [user, bot].map(str::to_owned).into();
        Self { kind: ChannelKind::Direct(user.to_owned()), members, ..Self::public(id, "") }
    }

    /// The same, archived.
    #[must_use]
    pub fn archived(mut self) -> Self {
        self.is_archived = true;
        self
    }

    /// The same as the channel that everybody is in, where only some may post: `restricted_action`.
    #[must_use]
    pub fn restricted_general(mut self) -> Self {
        self.is_general = true;
        self.restriction = Some("restricted_action");
        self
    }

    /// The same with `user` in it.
    #[must_use]
    pub fn with_member(mut self, user: &str) -> Self {
        self.members.insert(user.to_owned());
        self
    }

    /// Whether only those who are in it see it.
    pub fn is_private(&self) -> bool {
        self.kind != ChannelKind::Public
    }

    /// Whether `bot` can see that it is there.
    pub(crate) fn is_seen_by(&self, bot: &str) -> bool {
        !self.is_deleted && (!self.is_private() || self.members.contains(bot))
    }
}

/// What an update replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// When it was replaced: milliseconds since 1970, by the simulator's clock.
    pub at: i64,
    /// The content before.
    pub before: Map<String, Value>,
}

/// A message in a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Where.
    pub channel: String,
    /// What it is known by in its channel.
    pub ts: String,
    /// The message that it replies to.
    pub thread_ts: Option<String>,
    /// Who wrote it: a person, or the app's bot.
    pub user: String,
    /// The app that wrote it.
    pub app_id: Option<String>,
    /// `text`, `blocks`, `attachments`, `metadata` and what else shapes it, as it is now.
    pub content: Map<String, Value>,
    /// What it was before each update, oldest first.
    pub edits: Vec<Edit>,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// When it was posted: milliseconds since 1970, by the simulator's clock.
    pub at: i64,
}

impl Message {
    /// Its metadata's `event_payload`; null where it has none.
    pub fn event_payload(&self) -> &Value {
        self.content.get("metadata").map_or(&Value::Null, |metadata| &metadata["event_payload"])
    }
}

/// A workspace ("team" in Slack's API).
#[derive(Debug)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) domain: String,
    /// Id and name of the Enterprise organization that it belongs to.
    pub(crate) enterprise: Option<(String, String)>,
    pub(crate) channels: Vec<Channel>,
    by_id: HashMap<String, usize>,
    pub(crate) users: Vec<User>,
    pub(crate) groups: Vec<UserGroup>,
    pub(crate) messages: BTreeMap<String, Vec<Message>>,
    /// Microseconds of the newest message.
    newest: i64,
}

impl Team {
    pub(crate) fn new(id: &str, name: &str) -> Self {
        let domain = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            domain,
            enterprise: None,
            channels: Vec::new(),
            by_id: HashMap::new(),
            // Slack says of its own bot that it is none.
            users: vec![User::new("USLACKBOT", "slackbot", "Slackbot", "")],
            groups: Vec::new(),
            messages: BTreeMap::new(),
            newest: 0,
        }
    }

    /// Adds a channel; one of the same id is replaced.
    pub(crate) fn add(&mut self, channel: Channel) {
        if let Some(at) = self.by_id.get(&channel.id) {
            self.channels[*at] = channel;
        } else {
            self.by_id.insert(channel.id.clone(), self.channels.len());
            self.channels.push(channel);
        }
    }

    pub(crate) fn channel(&self, id: &str) -> Option<&Channel> {
        self.by_id.get(id).map(|at| &self.channels[*at])
    }

    pub(crate) fn channel_mut(&mut self, id: &str) -> Option<&mut Channel> {
        self.by_id.get(id).map(|at| &mut self.channels[*at])
    }

    pub(crate) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// A person's account that can be written to.
    pub(crate) fn person(&self, id: &str, deleted: &'static str) -> Result<&User, &'static str> {
        let user = self.user(id).ok_or("user_not_found")?;
        match user {
            user if user.is_bot || user.id == "USLACKBOT" => Err("cannot_dm_bot"),
            user if user.deleted => Err(deleted),
            user => Ok(user),
        }
    }

    /// The id of the direct message of `bot` with `user`, which is made where there is none.
    pub(crate) fn direct(&mut self, user: &str, bot: &str) -> String {
        let id = format!("D{}{}", user.trim_start_matches(['U', 'W']), bot.trim_start_matches(['U', 'W']));
        if self.channel(&id).is_none() {
            self.add(Channel::direct(&id, user, bot));
        }
        id
    }

    /// A `ts` of its own for a message that is posted at `now` (milliseconds).
    pub(crate) fn next_ts(&mut self, now: i64) -> String {
        self.newest = (now * 1_000).max(self.newest + 1);
        format!("{}.{:06}", self.newest / 1_000_000, self.newest % 1_000_000)
    }

    /// The message, unless it was deleted.
    pub(crate) fn message_mut(&mut self, channel: &str, ts: &str) -> Option<&mut Message> {
        let message = self.messages.get_mut(channel)?.iter_mut().find(|message| message.ts == ts)?;
        (!message.is_deleted).then_some(message)
    }

    /// Whether it was there and is there no more.
    pub(crate) fn was_deleted(&self, channel: &str, ts: &str) -> bool {
        let of_channel = self.messages.get(channel).map_or(&[][..], Vec::as_slice);
        of_channel.iter().any(|message| message.ts == ts && message.is_deleted)
    }

    pub(crate) fn keep(&mut self, message: Message) {
        self.messages.entry(message.channel.clone()).or_default().push(message);
    }
}

//! One of the simulator's workspaces, as a test holds it.

use std::sync::Arc;

use super::events::{self, Events};
use super::workspace::{Channel, ChannelKind, Message, Team, User, UserGroup};
use super::{Shared, State};

/// A workspace of a [`SlackApi`](super::SlackApi): what people and administrators do in it.
#[derive(Debug, Clone)]
pub struct Workspace {
    id: String,
    shared: Arc<Shared>,
}

impl Workspace {
    pub(crate) fn new(id: &str, shared: &Arc<Shared>) -> Self {
        Self { id: id.to_owned(), shared: Arc::clone(shared) }
    }

    /// `T…`.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn change<T: Default>(&self, change: impl FnOnce(&mut Team) -> T) -> T {
        let changed = self.shared.state().team_mut(&self.id).map(change).unwrap_or_default();
        self.shared.changed.send_replace(());
        changed
    }

    fn change_channel(&self, channel: &str, change: impl FnOnce(&mut Channel)) {
        self.change(|team| team.channel_mut(channel).map(change));
    }

    /// It belongs to an Enterprise organization.
    pub fn join_enterprise(&self, id: &str, name: &str) {
        self.change(|team| team.enterprise = Some((id.to_owned(), name.to_owned())));
    }

    /// Adds a channel; one of the same id is replaced.
    pub fn add_channel(&self, channel: Channel) {
        self.change(|team| team.add(channel));
    }

    /// Adds public channels `channel-00000`, `channel-00001` and so on, and gives their ids.
    pub fn add_channels(&self, count: usize) -> Vec<String> {
        let ids: Vec<String> = (0..count).map(|number| format!("C0N{number:07}")).collect();
        self.change(|team| {
            for (number, id) in ids.iter().enumerate() {
                team.add(Channel::public(id, &format!("channel-{number:05}")));
            }
        });
        ids
    }

    /// Adds an account; one of the same id is replaced.
    pub fn add_user(&self, user: User) {
        self.change(|team| {
            team.users.retain(|held| held.id != user.id);
            team.users.push(user);
        });
    }

    /// Adds people `person-00000`, `person-00001` and so on with addresses at example.com, and gives their ids.
    pub fn add_users(&self, count: usize) -> Vec<String> {
        let ids: Vec<String> = (0..count).map(|number| format!("U0N{number:07}")).collect();
        self.change(|team| {
            for (number, id) in ids.iter().enumerate() {
                let name = format!("person-{number:05}");
                team.users.push(User::new(id, &name, &format!("Person {number}"), &format!("{name}@example.com")));
            }
        });
        ids
    }

    /// Adds a user group.
    pub fn add_group(&self, group: UserGroup) {
        self.change(|team| team.groups.push(group));
    }

    /// Somebody's account is deactivated.
    pub fn deactivate(&self, user: &str) {
        self.change(|team| team.users.iter_mut().filter(|held| held.id == user).for_each(|held| held.deleted = true));
    }

    /// A channel is archived.
    pub fn archive(&self, channel: &str) {
        self.change_channel(channel, |channel| channel.is_archived = true);
    }

    /// A channel is used again.
    pub fn unarchive(&self, channel: &str) {
        self.change_channel(channel, |channel| channel.is_archived = false);
    }

    /// A channel gets another name.
    pub fn rename(&self, channel: &str, name: &str) {
        self.change_channel(channel, |channel| name.clone_into(&mut channel.name));
    }

    /// A channel is deleted, with its messages.
    pub fn delete(&self, channel: &str) {
        self.change_channel(channel, |channel| channel.is_deleted = true);
        self.change(|team| team.messages.remove(channel));
    }

    /// A public channel is made private; the bot stays in it if it is.
    pub fn make_private(&self, channel: &str) {
        self.change_channel(channel, |channel| channel.kind = ChannelKind::Private);
    }

    /// Each post to a channel is refused with this word, such as `restricted_action`; `None` ends that.
    pub fn restrict(&self, channel: &str, word: Option<&'static str>) {
        self.change_channel(channel, |channel| channel.restriction = word);
    }

    /// The user id of the app's bot; `None` before an app was installed. Of several apps, the first that was.
    pub fn bot_user_id(&self) -> Option<String> {
        installed(&self.shared.state(), &self.id).map(|(_, bot)| bot)
    }

    /// A person invites the app's bot to a channel.
    pub fn invite_bot(&self, channel: &str) {
        let bot = self.bot_user_id();
        self.change_channel(channel, |channel| channel.members.extend(bot));
    }

    /// Somebody, such as the bot, goes out of a channel.
    pub fn leave(&self, channel: &str, user: &str) {
        self.change_channel(channel, |channel| channel.members.retain(|held| held != user));
    }

    /// The app's bot is taken out of a channel.
    pub fn remove_bot(&self, channel: &str) {
        let bot = self.bot_user_id().unwrap_or_default();
        self.leave(channel, &bot);
    }

    /// An administrator removes the app: its tokens are refused with `account_inactive`.
    pub fn uninstall(&self) {
        let mut state = self.shared.state();
        if let Some((app, _)) = installed(&state, &self.id) {
            state.uninstall(&app, &self.id);
        }
    }

    /// A channel as it is now.
    pub fn channel(&self, id: &str) -> Option<Channel> {
        self.change(|team| team.channel(id).cloned())
    }

    /// The id of the direct message of the app's bot with a person.
    pub fn direct_message(&self, user: &str) -> Option<String> {
        let bot = self.bot_user_id()?;
        self.change(|team| Some(team.direct(user, &bot)))
    }

    /// Somebody writes a message: its `ts`.
    pub fn say(&self, channel: &str, user: &str, text: &str) -> String {
        events::say(&self.shared, &self.id, channel, user, text, None)
    }

    /// Somebody deletes a message.
    pub fn delete_message(&self, channel: &str, ts: &str) {
        self.change(|team| team.message_mut(channel, ts).map(|message| message.is_deleted = true));
    }

    /// A channel's messages, oldest first: deleted ones, replies and what people wrote too.
    pub fn messages(&self, channel: &str) -> Vec<Message> {
        let state = self.shared.state();
        state.team(&self.id).and_then(|team| team.messages.get(channel)).cloned().unwrap_or_default()
    }

    /// The replies to a message, oldest first.
    pub fn replies(&self, channel: &str, ts: &str) -> Vec<Message> {
        let of_thread = |message: &Message| message.thread_ts.as_deref() == Some(ts);
        self.messages(channel).into_iter().filter(of_thread).collect()
    }

    /// The messages that apps wrote into any channel.
    pub fn posted(&self) -> Vec<Message> {
        let state = self.shared.state();
        let all = state.team(&self.id).map(|team| team.messages.values().flatten());
        all.into_iter().flatten().filter(|message| message.app_id.is_some()).cloned().collect()
    }

    /// Waits until a channel's messages are as `holds` says, and gives them.
    pub async fn wait_for(&self, channel: &str, holds: impl Fn(&[Message]) -> bool) -> Vec<Message> {
        let mut changed = self.shared.changed.subscribe();
        loop {
            let messages = self.messages(channel);
            if holds(&messages) {
                return messages;
            }
            // The sender lives in `self`.
            let _ = changed.changed().await;
        }
    }

    /// The events of the app in this workspace. Of several apps, of the first that was installed; before, of the first.
    pub fn events(&self) -> Events {
        let app = {
            let state = self.shared.state();
            let first = || state.apps.first().map(|app| app.id.clone());
            installed(&state, &self.id).map(|(app, _)| app).or_else(first).unwrap_or_default()
        };
        Events::new(&self.shared, &self.id, &app)
    }
}

/// The first app of a workspace, and its bot. One that was removed counts where no other is.
fn installed(state: &State, team: &str) -> Option<(String, String)> {
    let mut here: Vec<_> = state.installations.iter().filter(|held| held.place == team).collect();
    here.sort_by_key(|held| !held.is_installed);
    here.first().map(|held| (held.app_id.clone(), held.bot_user_id.clone()))
}

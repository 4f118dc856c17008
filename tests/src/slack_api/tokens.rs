//! How tokens are given out, renewed and taken away.

use super::app::{App, Installation, RefreshToken, Token, random};
use super::state::State;
use super::workspace::User;

/// Seconds for which a rotating token lives.
pub(crate) const LIFETIME: i64 = 43_200;
/// How many rotating tokens of an installation live at the same time.
const LIVE: usize = 2;

/// A token, with its refresh token where tokens rotate.
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

impl State {
    pub(crate) fn installation(&self, app: &str, place: &str) -> Option<&Installation> {
        self.installations.iter().find(|held| held.app_id == app && held.place == place)
    }

    /// Installs `app`, or adds scopes to its installation: scopes are only ever added.
    pub(crate) fn install(&mut self, app: &App, place: &str, scopes: &[String]) -> Installation {
        let is_it = |held: &Installation| held.app_id == app.id && held.place == place;
        let at = self.installations.iter().position(is_it).unwrap_or_else(|| self.add_bot(app, place));
        let held = &mut self.installations[at];
        if !held.is_installed {
            held.scopes.clear();
        }
        for scope in scopes {
            if !held.scopes.contains(scope) {
                held.scopes.push(scope.clone());
            }
        }
        held.is_installed = true;
        let installed = held.clone();
        self.set_bot_deleted(place, &installed.bot_user_id, false);
        installed
    }

    /// Makes an app's bot, and says where its installation stands.
    fn add_bot(&mut self, app: &App, place: &str) -> usize {
        let serial = self.serial();
        let bot_user_id = format!("U0BOT{serial:05}");
        let bot = User::new(&bot_user_id, &app.name.to_ascii_lowercase(), &app.name, "").bot();
        self.team_mut(place).into_iter().for_each(|team| team.users.push(bot.clone()));
        self.installations.push(Installation {
            app_id: app.id.clone(),
            place: place.to_owned(),
            bot_user_id,
            bot_id: format!("B0BOT{serial:05}"),
            scopes: Vec::new(),
            is_installed: false,
        });
        self.installations.len() - 1
    }

    /// Gives out a token. Without rotation an installation has one, whose text stays the same when the app is installed once
    /// more ("in most cases … not always guaranteed").
    pub(crate) fn issue(&mut self, app: &App, installed: &Installation, now: i64) -> Pair {
        let is_mine = |token: &&mut Token| token.app_id == app.id && token.place == installed.place;
        if !app.rotates && !self.reinstall_renews {
            let lives = |token: &&mut Token| token.ended.is_none() && token.expires_at.is_none();
            if let Some(token) = self.tokens.iter_mut().filter(is_mine).find(lives) {
                token.scopes.clone_from(&installed.scopes);
                return Pair { access: token.value.clone(), refresh: None };
            }
        }
        let serial = self.serial();
        let value = if app.rotates {
            format!("xoxe.xoxb-1-{}{serial}", random(140))
        } else {
            format!("xoxb-{serial:012}-{:013}-{}", now.unsigned_abs(), random(24))
        };
        self.tokens.push(Token {
            value: value.clone(),
            app_id: app.id.clone(),
            place: installed.place.clone(),
            is_enterprise_install: self.team(&installed.place).is_none(),
            bot_user_id: installed.bot_user_id.clone(),
            scopes: installed.scopes.clone(),
            issued_at: now,
            expires_at: app.rotates.then_some(now + LIFETIME * 1_000),
            ended: None,
        });
        if !app.rotates {
            return Pair { access: value, refresh: None };
        }
        let live = self.tokens.iter_mut().filter(is_mine).filter(|token| token.refused(now).is_none());
        for token in live.rev().skip(LIVE) {
            token.ended = Some("token_revoked");
        }
        let refresh = format!("xoxe-1-{}{serial}", random(140));
        self.refresh_tokens.push(RefreshToken {
            value: refresh.clone(),
            app_id: app.id.clone(),
            place: installed.place.clone(),
            used_at: None,
            is_revoked: false,
        });
        Pair { access: value, refresh: Some(refresh) }
    }

    /// Whether `refresh` can be exchanged at `now`: unused, or used a short while ago.
    pub(crate) fn honours_refresh(&self, refresh: &RefreshToken, now: i64) -> bool {
        !refresh.is_revoked && refresh.used_at.is_none_or(|at| now < at + self.refresh_grace)
    }

    /// Exchanges a refresh token of `app`.
    pub(crate) fn renew(&mut self, app: &App, refresh: &str, now: i64) -> Result<(Installation, Pair), &'static str> {
        let found = self.refresh_tokens.iter().position(|held| held.value == refresh && held.app_id == app.id);
        let at = found.filter(|at| self.honours_refresh(&self.refresh_tokens[*at], now));
        let at = at.ok_or("invalid_refresh_token")?;
        let place = self.refresh_tokens[at].place.clone();
        let installed = self.installation(&app.id, &place).filter(|held| held.is_installed).cloned();
        let installed = installed.ok_or("invalid_refresh_token")?;
        self.refresh_tokens[at].used_at.get_or_insert(now);
        self.renewals += 1;
        let pair = self.issue(app, &installed, now);
        Ok((installed, pair))
    }

    /// Revokes a token. One that does not rotate takes the whole installation with it.
    pub(crate) fn revoke(&mut self, value: &str) {
        let Some(at) = self.tokens.iter().position(|token| token.value == value) else { return };
        self.tokens[at].ended = Some("token_revoked");
        if self.tokens[at].expires_at.is_none() {
            let (app, place) = (self.tokens[at].app_id.clone(), self.tokens[at].place.clone());
            self.uninstall(&app, &place);
        }
    }

    /// Takes an app out of a workspace: its tokens die, its bot leaves all channels.
    pub(crate) fn uninstall(&mut self, app: &str, place: &str) {
        for token in self.tokens.iter_mut().filter(|token| token.app_id == app && token.place == place) {
            token.ended.get_or_insert("account_inactive");
        }
        for refresh in self.refresh_tokens.iter_mut().filter(|held| held.app_id == app && held.place == place) {
            refresh.is_revoked = true;
        }
        let mut bots = Vec::new();
        for held in self.installations.iter_mut().filter(|held| held.app_id == app && held.place == place) {
            held.is_installed = false;
            bots.push(held.bot_user_id.clone());
        }
        for bot in bots {
            self.set_bot_deleted(place, &bot, true);
            for channel in self.team_mut(place).into_iter().flat_map(|team| &mut team.channels) {
                channel.members.remove(&bot);
            }
        }
    }

    fn set_bot_deleted(&mut self, place: &str, bot: &str, deleted: bool) {
        let users = self.team_mut(place).into_iter().flat_map(|team| &mut team.users);
        users.filter(|user| user.id == bot).for_each(|user| user.deleted = deleted);
    }
}

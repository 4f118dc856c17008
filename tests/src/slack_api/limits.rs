//! Slack's rate limits: how many calls a minute each method takes of an app in a workspace.

use std::collections::{HashMap, VecDeque};

/// Milliseconds in which a tier counts.
const MINUTE: i64 = 60_000;
/// Milliseconds between two posts to a channel.
const POST: i64 = 1_000;
/// "Several hundred" posts a minute in a workspace.
const POSTS_A_MINUTE: usize = 300;

/// How often a method may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// 20 a minute.
    Two,
    /// 50 a minute.
    Three,
    /// 100 a minute.
    Four,
    /// Posting: one a second in each channel after a short burst, and 300 a minute in all.
    Posting,
    /// What Slack calls special without a number: 300 a minute.
    Special,
}

impl Tier {
    fn calls(self) -> usize {
        match self {
            Self::Two => 20,
            Self::Three => 50,
            Self::Four => 100,
            Self::Posting | Self::Special => POSTS_A_MINUTE,
        }
    }
}

/// What a call counts for.
#[derive(Debug)]
pub(crate) struct Counted<'a> {
    pub(crate) app: &'a str,
    /// Workspace or Enterprise organization.
    pub(crate) place: &'a str,
    pub(crate) method: &'a str,
    /// Where a post goes; empty of all others.
    pub(crate) channel: &'a str,
}

/// The calls of the last minute, and the channels' buckets.
#[derive(Debug)]
pub(crate) struct Limits {
    calls: HashMap<[String; 3], VecDeque<i64>>,
    /// When the bucket of a channel is empty again, by workspace and channel.
    empty_at: HashMap<[String; 2], i64>,
    /// How many posts a channel takes at once.
    pub(crate) burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { calls: HashMap::new(), empty_at: HashMap::new(), burst: 25 }
    }
}

impl Limits {
    /// Counts a call, or says after how many seconds there is room for it. A refused one does not count.
    pub(crate) fn admit(&mut self, tier: Tier, call: &Counted, now: i64) -> Result<(), u64> {
        let key = [call.app, call.place, call.method].map(str::to_owned);
        let calls = self.calls.entry(key).or_default();
        while calls.front().is_some_and(|at| now - at >= MINUTE) {
            calls.pop_front();
        }
        if let Some(oldest) = calls.front()
            && calls.len() >= tier.calls()
        {
            return Err(seconds(oldest + MINUTE - now));
        }
        if tier == Tier::Posting {
            let room = i64::from(self.burst.max(1)) * POST;
            let held = self.empty_at.entry([call.place, call.channel].map(str::to_owned)).or_insert(now);
            let empty_at = (*held).max(now) + POST;
            if empty_at - now > room {
                return Err(seconds(empty_at - now - room));
            }
            *held = empty_at;
        }
        calls.push_back(now);
        Ok(())
    }
}

fn seconds(milliseconds: i64) -> u64 {
    u64::try_from((milliseconds + 999) / 1_000).unwrap_or_default().max(1)
}

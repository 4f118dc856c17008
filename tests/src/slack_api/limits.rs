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
pub enum Tier {
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

/// The calls of the last minute, and the channels' buckets.
#[derive(Debug)]
pub(crate) struct Limits {
    calls: HashMap<(String, String, String), VecDeque<i64>>,
    /// When the bucket of a channel is empty again, by workspace and channel.
    empty_at: HashMap<(String, String), i64>,
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
    pub(crate) fn admit(&mut self, tier: Tier, app: &str, place: &str, method: &str, now: i64) -> Result<(), u64> {
        let calls = self.calls.entry((app.to_owned(), place.to_owned(), method.to_owned())).or_default();
        while calls.front().is_some_and(|at| now - at >= MINUTE) {
            calls.pop_front();
        }
        match calls.front() {
            Some(oldest) if calls.len() >= tier.calls() => Err(seconds(oldest + MINUTE - now)),
            _ => {
                calls.push_back(now);
                Ok(())
            }
        }
    }

    /// Counts a post to `channel`, or says after how many seconds there is room for it.
    pub(crate) fn admit_post(&mut self, place: &str, channel: &str, now: i64) -> Result<(), u64> {
        let room = i64::from(self.burst.max(1)) * POST;
        let held = self.empty_at.entry((place.to_owned(), channel.to_owned())).or_insert(now);
        let empty_at = (*held).max(now) + POST;
        if empty_at - now > room {
            return Err(seconds(empty_at - now - room));
        }
        *held = empty_at;
        Ok(())
    }
}

fn seconds(milliseconds: i64) -> u64 {
    u64::try_from((milliseconds + 999) / 1_000).unwrap_or_default().max(1)
}

//! What may happen, step by step.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::wire::Trouble;

pub(crate) const ALERTS: usize = 3;
pub(crate) const CHANNELS: usize = 3;
/// Steps of a case, at most.
const MOST: usize = 45;

/// One thing that happens. Alerts and channels by number.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The alert is checked: its rule is broken, or is not.
    Check {
        alert: usize,
        broken: bool,
    },
    /// A check that was made before the last one comes.
    Late {
        alert: usize,
        broken: bool,
    },
    /// The last check comes again.
    Again {
        alert: usize,
    },
    Cooldown {
        alert: usize,
        seconds: i64,
    },
    Severity {
        alert: usize,
        severity: &'static str,
    },
    /// The alert tells those channels from now on.
    Tell {
        alert: usize,
        channels: Vec<usize>,
    },
    /// Until somebody ends it, where it says nothing else.
    Mute {
        alert: usize,
        seconds: Option<i64>,
    },
    Unmute {
        alert: usize,
    },
    Pause {
        channel: usize,
    },
    Resume {
        channel: usize,
    },
    /// The channel is quiet each day from now on for so many hours.
    Quiet {
        channel: usize,
        hours: i64,
    },
    NoQuiet {
        channel: usize,
    },
    /// The channel leads to its other webhook.
    Redirect {
        channel: usize,
    },
    /// The next requests to the channel's webhooks meet that.
    Trouble {
        channel: usize,
        trouble: Trouble,
        times: usize,
    },
    /// Requests wait, before people see their messages or after.
    Hold {
        channel: usize,
        seen: bool,
    },
    Release {
        channel: usize,
    },
    /// Time passes.
    Pass {
        seconds: u64,
    },
    /// What is due has its turn.
    Settle,
    Restart,
    Kill,
}

/// A case.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..=MOST)
}

fn step() -> impl Strategy<Value = Step> {
    let alert = || 0..ALERTS;
    let channel = || 0..CHANNELS;
    prop_oneof![
        26 => (alert(), prop::bool::weighted(0.6)).prop_map(|(alert, broken)| Step::Check { alert, broken }),
        1 => (alert(), any::<bool>()).prop_map(|(alert, broken)| Step::Late { alert, broken }),
        1 => alert().prop_map(|alert| Step::Again { alert }),
        2 => (alert(), prop::sample::select(vec![0, 30, 1_800]))
            .prop_map(|(alert, seconds)| Step::Cooldown { alert, seconds }),
        3 => (alert(), prop::sample::select(vec!["info", "warning", "critical"]))
            .prop_map(|(alert, severity)| Step::Severity { alert, severity }),
        3 => (alert(), prop::sample::subsequence((0..CHANNELS).collect::<Vec<_>>(), 1..=CHANNELS))
            .prop_map(|(alert, channels)| Step::Tell { alert, channels }),
        1 => (alert(), prop::option::of(1_i64..7_200)).prop_map(|(alert, seconds)| Step::Mute { alert, seconds }),
        1 => alert().prop_map(|alert| Step::Unmute { alert }),
        2 => channel().prop_map(|channel| Step::Pause { channel }),
        3 => channel().prop_map(|channel| Step::Resume { channel }),
        2 => (channel(), 1_i64..9).prop_map(|(channel, hours)| Step::Quiet { channel, hours }),
        2 => channel().prop_map(|channel| Step::NoQuiet { channel }),
        1 => channel().prop_map(|channel| Step::Redirect { channel }),
        10 => (channel(), trouble(), 1_usize..=4)
            .prop_map(|(channel, trouble, times)| Step::Trouble { channel, trouble, times }),
        2 => (channel(), any::<bool>()).prop_map(|(channel, seen)| Step::Hold { channel, seen }),
        2 => channel().prop_map(|channel| Step::Release { channel }),
        10 => prop::sample::select(vec![1, 5, 30, 59, 61, 61, 300, 660, 1_800, 3_660, 3_660, 21_600, 90_000])
            .prop_map(|seconds| Step::Pass { seconds }),
        10 => Just(Step::Settle),
        2 => Just(Step::Restart),
        2 => Just(Step::Kill),
    ]
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop::sample::select(vec![
        Trouble::Unavailable,
        Trouble::Throttled,
        Trouble::ThrottledLong,
        Trouble::Blamed,
        Trouble::Rejected,
        Trouble::Layout,
        Trouble::CutBefore,
        Trouble::CutAfter,
        Trouble::CutAfter,
    ])
}

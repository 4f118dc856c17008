//! For any sequence of checks, edits, pauses, failures and restarts: no trigger is left without its resolution where both
//! were due, none is told twice without a mark, and nothing is told out of order per alert and channel.
//!
//! `PQH_SEED` repeats the cases of an earlier run, or makes others; `PQH_CASES` makes more of them. What fails is made as
//! small as it can be, and printed, one step a line.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, as tests do")]

#[path = "alert_properties/judge.rs"]
mod judge;
#[path = "alert_properties/model.rs"]
mod model;
#[path = "support/scenario/mod.rs"]
mod scenario;
#[path = "alert_properties/step.rs"]
mod step;
#[path = "alert_properties/wire.rs"]
mod wire;
#[path = "alert_properties/world.rs"]
mod world;

use std::sync::Mutex;
use std::time::Instant;

use judge::Summary;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use step::Step;
use wire::Trouble;
use world::World;

/// What runs where nobody says otherwise: each run the same cases.
const SEED: u64 = 20_241_215;
const CASES: u32 = 100;
/// In so many cases, everything happens that can.
const ENOUGH: u32 = 50;
/// How long a failed case is made smaller, at most: milliseconds.
const SHRINK: u32 = 120_000;

fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: expected a number")))
}

#[test]
fn whatever_happens_each_trigger_has_its_resolution_nothing_comes_twice_unmarked_and_all_in_order() {
    let seed = number("PQH_SEED").unwrap_or(SEED);
    let cases = number("PQH_CASES").unwrap_or(CASES);
    println!("PQH_SEED={seed} PQH_CASES={cases}");
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_time: SHRINK,
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let began = Instant::now();
    let sums = Mutex::new(Summary::default());
    let result = TestRunner::new(config).run(&step::steps(), |steps| {
        let summary = runtime.block_on(World::play(&steps)).map_err(TestCaseError::fail)?;
        *sums.lock().unwrap() += summary;
        Ok(())
    });
    let sums = sums.into_inner().unwrap();
    println!("{sums:?} in {:?}", began.elapsed());
    match result {
        Ok(()) => assert!(cases < ENOUGH || sums.has_all(), "not everything happened: {sums:?}"),
        Err(TestError::Fail(why, steps)) => {
            let steps: Vec<String> = steps.iter().map(|step| format!("    {step:?}")).collect();
            panic!("PQH_SEED={seed}: {why}\nafter these steps:\n{}", steps.join("\n"));
        }
        Err(error) => panic!("PQH_SEED={seed}: {error}"),
    }
}

/// Two alerts tell one channel, which is paused for over an hour: they go out as a digest once it is resumed.
fn a_digest_meets(troubles: &[Trouble]) -> Vec<Step> {
    let mut steps = vec![
        Step::Pause { channel: 0 },
        Step::Check { alert: 0, broken: true },
        Step::Check { alert: 1, broken: true },
        Step::Pass { seconds: 3_660 },
    ];
    steps.extend(troubles.iter().map(|trouble| Step::Trouble { channel: 0, trouble: *trouble, times: 1 }));
    steps.extend([Step::Resume { channel: 0 }, Step::Settle, Step::Pass { seconds: 61 }, Step::Settle]);
    steps
}

#[tokio::test]
async fn what_a_digest_may_have_told_is_marked_where_the_digest_is_refused_later() {
    let steps = a_digest_meets(&[Trouble::CutAfter, Trouble::Rejected]);
    if let Err(wrong) = World::play(&steps).await {
        panic!("{wrong}");
    }
}

/// What the judge says of an alert that is triggered and resolved, where the first message meets that, or the second.
async fn wrong_where_one_is(trouble: Trouble, first: bool) -> String {
    let trouble = Step::Trouble { channel: 0, trouble, times: 1 };
    let mut steps = vec![Step::Check { alert: 0, broken: true }, Step::Settle];
    steps.insert(if first { 0 } else { 2 }, trouble);
    steps.extend([Step::Check { alert: 0, broken: false }, Step::Settle]);
    World::play(&steps).await.err().unwrap_or_default()
}

#[tokio::test]
async fn the_judge_notices_a_trigger_that_nobody_saw() {
    let wrong = wrong_where_one_is(Trouble::Lost, true).await;
    assert!(wrong.contains("was delivered, and nobody saw it"), "{wrong}");
}

#[tokio::test]
async fn the_judge_notices_a_trigger_without_its_resolution() {
    let wrong = wrong_where_one_is(Trouble::Lost, false).await;
    assert!(wrong.contains("is the last that people heard"), "{wrong}");
}

#[tokio::test]
async fn the_judge_notices_what_came_twice_without_a_mark() {
    let wrong = wrong_where_one_is(Trouble::Doubled, true).await;
    assert!(wrong.contains("came twice, and nothing says so"), "{wrong}");
}

#[tokio::test]
async fn the_judge_notices_what_came_out_of_order() {
    let wrong = wrong_where_one_is(Trouble::Late, true).await;
    assert!(wrong.contains("came after what followed it"), "{wrong}");
}

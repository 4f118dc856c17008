//! The real program, killed again and again under load: nothing that it accepted is lost, and what came twice says so.
//!
//! `PQH_SEED` repeats the choices of an earlier run, `PQH_KILLS` makes it longer (`cargo xtask soak`).

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, as tests do")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use pqh_tests::service::{Api, Setup, within};
use pqh_tests::slack_webhook::{Hold, Simulator};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

const WEBHOOKS: usize = 120;
/// Attempts that are in flight at each kill, at least.
const IN_FLIGHT: usize = 50;
/// Events that may be posted between two kills.
const EVENTS: usize = 120;
const POSTERS: usize = 16;
/// What an event's title starts with; six digits follow.
const MARK: &str = "kill-";

/// Posts events as fast as it may, each until it is accepted.
struct Load {
    api: Api,
    choices: Mutex<(Rng, usize)>,
    may_post: Semaphore,
    /// The channels of each accepted event.
    accepted: Mutex<BTreeMap<String, Vec<String>>>,
    count: watch::Sender<usize>,
}

impl Load {
    fn new(api: Api, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            api,
            choices: Mutex::new((Rng::with_seed(seed), 0)),
            may_post: Semaphore::new(0),
            accepted: Mutex::default(),
            count: watch::Sender::new(0),
        })
    }

    /// The next event, and its one or two channels.
    fn draw(&self) -> (String, Vec<String>) {
        let mut choices = self.choices.lock().unwrap();
        choices.1 += 1;
        let first = choices.0.usize(..WEBHOOKS);
        let second = choices.0.usize(..WEBHOOKS * 2);
        let channels = BTreeSet::from([first, if second < WEBHOOKS { second } else { first }]);
        (format!("{MARK}{:06}", choices.1), channels.into_iter().map(alias).collect())
    }

    async fn post(&self) {
        while let Ok(permit) = self.may_post.acquire().await {
            permit.forget();
            let (id, channels) = self.draw();
            let event = json!({ "id": id, "title": id, "severity": "critical", "triggered": { "broken_rules": [
                { "metric": "Revenue", "comparison": "<", "threshold": "10000", "current": "8750" } ] } });
            loop {
                match self.api.post_event(&channels, &event).await {
                    Ok((202, _)) => break,
                    // Not yet ready, or stopping: it took nothing.
                    Ok((503, _)) => tokio::task::yield_now().await,
                    Ok((status, answer)) => panic!("{id}: {status} {answer}"),
                    // Killed meanwhile; whether it took the event, nobody knows. The same id is the same event.
                    Err(_) => self.api.wait_until_running().await,
                }
            }
            self.accepted.lock().unwrap().insert(id, channels);
            self.count.send_modify(|count| *count += 1);
        }
    }
}

fn alias(number: usize) -> String {
    format!("channel-{number}")
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: expected a number")))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_accepted_event_arrives_over_kills_and_what_came_twice_says_so() {
    let seed = number("PQH_SEED").unwrap_or_else(|| fastrand::u64(..));
    let kills = number("PQH_KILLS").unwrap_or(10);
    println!("PQH_SEED={seed} PQH_KILLS={kills}");
    let simulator = Simulator::start_with(WEBHOOKS).await.unwrap();
    // A message that is in flight at eleven kills in a row is given up by rule (`delivery_kinds` has that): not here.
    let setup = Setup::to(&simulator.base_url()).with("PQH_RETRY_LOST_LEASES", "1000");
    let mut service = setup.start().await.unwrap();
    for (number, webhook) in simulator.webhooks().iter().enumerate() {
        service.api().add_channel(&alias(number), "slack-webhook", &webhook.url()).await.unwrap();
    }
    let load = Load::new(service.api().clone(), seed);
    let mut posters = JoinSet::new();
    for _ in 0..POSTERS {
        let load = Arc::clone(&load);
        posters.spawn(async move { load.post().await });
    }

    let mut random = Rng::with_seed(!seed);
    let mut in_flight = 0;
    for kill in 1..=kills {
        let held = until_under_load(&simulator, &load, &mut random).await;
        service.kill().unwrap();
        in_flight += held;
        println!("kill {kill}: {held} attempts in flight, {} events accepted", *load.count.borrow());
        simulator.release();
        service.restart().await.unwrap();
    }
    load.may_post.close();
    while let Some(ended) = posters.join_next().await {
        ended.unwrap();
    }
    service.api().wait_until_settled().await.unwrap();

    let told = judge(&simulator, &load, service.api(), in_flight).await;
    println!("{told}");
    let printed = service.output();
    for webhook in simulator.webhooks() {
        let token = webhook.path().rsplit('/').next().unwrap();
        assert!(!printed.contains(token), "the service printed a webhook's token");
    }
}

/// Lets events be posted, and waits for a moment to kill: some accepted, some on their way in, enough in flight.
async fn until_under_load(simulator: &Simulator, load: &Load, random: &mut Rng) -> usize {
    let mut count = load.count.subscribe();
    let before = *count.borrow();
    load.may_post.add_permits(EVENTS);
    let free = random.usize(..EVENTS / 3);
    within("accepted events", count.wait_for(|count| *count >= before + free)).await.unwrap().unwrap();
    simulator.hold(if random.bool() { Hold::Answers } else { Hold::Requests });
    let accepted = random.usize(free..EVENTS - POSTERS);
    within("accepted events", count.wait_for(|count| *count >= before + accepted)).await.unwrap().unwrap();
    let enough = IN_FLIGHT + random.usize(..IN_FLIGHT / 2);
    within("attempts in flight", simulator.wait_for_held(enough)).await.unwrap()
}

/// Compares what was accepted, what arrived and what the service says of it.
async fn judge(simulator: &Simulator, load: &Load, api: &Api, in_flight: usize) -> String {
    let webhooks = simulator.webhooks().into_iter().enumerate();
    let aliases: HashMap<String, String> =
        webhooks.map(|(at, webhook)| (webhook.path().to_owned(), alias(at))).collect();
    let mut arrived: BTreeMap<(String, String), usize> = BTreeMap::new();
    for received in simulator.received() {
        for event in events_in(&received.message) {
            *arrived.entry((event, aliases[&*received.webhook].clone())).or_default() += 1;
        }
    }
    let accepted = load.accepted.lock().unwrap().clone();
    let due: BTreeSet<(String, String)> = accepted
        .iter()
        .flat_map(|(event, channels)| channels.iter().map(|channel| (event.clone(), channel.clone())))
        .collect();
    let lost: Vec<_> = due.iter().filter(|pair| !arrived.contains_key(*pair)).collect();
    assert!(lost.is_empty(), "accepted, and never arrived: {lost:?}");
    let strange: Vec<_> = arrived.keys().filter(|pair| !due.contains(*pair)).collect();
    assert!(strange.is_empty(), "arrived, and never accepted: {strange:?}");

    let deliveries = api.deliveries("").await.unwrap();
    assert_eq!(deliveries.len(), due.len(), "one delivery for each event and channel");
    let mut doubtful = BTreeSet::new();
    let mut lost_attempts = 0;
    for delivery in &deliveries {
        assert_eq!(delivery["status"], "delivered", "{delivery}");
        if delivery["possible_repeat"] == true {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            doubtful.insert((text(&delivery["event"]), text(&delivery["channel"]["alias"])));
            let whole = api.get(&format!("/v1/deliveries/{}", text(&delivery["id"]))).await.unwrap();
            let attempts = whole["attempts"].as_array().unwrap();
            lost_attempts += attempts.iter().filter(|attempt| attempt["outcome"] == "lost").count();
        }
    }
    let concealed: Vec<_> = arrived.iter().filter(|(pair, times)| **times > 1 && !doubtful.contains(*pair)).collect();
    assert!(concealed.is_empty(), "came more than once, and no delivery says so: {concealed:?}");
    let repeats: usize = arrived.values().map(|times| times - 1).sum();
    assert!(repeats <= lost_attempts, "{repeats} repeats, and {lost_attempts} attempts in flight at the kills");
    assert!(
        lost_attempts >= in_flight,
        "{in_flight} attempts were held at the kills, and the service knows of {lost_attempts}"
    );
    format!(
        "{} events to {} channels arrived, {repeats} of them repeated; {lost_attempts} attempts were in flight at the kills",
        accepted.len(),
        due.len()
    )
}

/// The events that a message tells of, each once.
fn events_in(message: &Value) -> BTreeSet<String> {
    let text = message.to_string();
    text.match_indices(MARK).filter_map(|(at, _)| text.get(at..at + MARK.len() + 6)).map(str::to_owned).collect()
}

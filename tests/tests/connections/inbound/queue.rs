//! What waits to be acted on: once, in order, over trouble and ends of the program.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pqh_tests::slack_api::{Approval, Channel, Delivery, Misbehaviour, User};
use serde_json::json;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::Notify;

use crate::scenario::{HOUR, MOMENT, PATIENCE, SECOND, almost, eventually};
use crate::world::{ADA, World};

impl World {
    /// The next post hangs until the test notifies.
    fn hold_next_post(&self) -> Arc<Notify> {
        let held = Arc::new(Notify::new());
        self.slack.next("chat.postMessage", Misbehaviour::AnswerHeld(Arc::clone(&held)));
        held
    }

    /// A mention whose reply Slack answers when the test says so.
    async fn held_reply(&self, words: &str) -> (Arc<Notify>, Delivery) {
        let (held, before) = (self.hold_next_post(), self.slack.requests("chat.postMessage"));
        let mention = self.mention("C0OPS", words).await;
        self.until_posts(before + 1).await;
        (held, mention)
    }

    /// Waits until so many posts were asked for, and has that be all of them.
    async fn until_posts(&self, count: usize) {
        let waiting = self.slack.wait_for_calls("chat.postMessage", count);
        assert_eq!(tokio::time::timeout(PATIENCE, waiting).await.expect("there is no post").len(), count);
    }

    async fn read(&self) -> sqlx::SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.scenario.folder().join("pqh.db")).read_only(true);
        sqlx::SqliteConnection::connect_with(&options).await.unwrap()
    }

    /// Changes the database behind the service's back.
    async fn write(&self, statement: &'static str) {
        let options = SqliteConnectOptions::new().filename(self.scenario.folder().join("pqh.db"));
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }

    /// When what waits is due, in its order.
    async fn waiting(&self) -> Vec<i64> {
        let query = sqlx::query_scalar("SELECT due_at FROM inbound ORDER BY id");
        query.fetch_all(&mut self.read().await).await.unwrap()
    }

    /// Waits until so many wait.
    async fn until_waiting(&self, count: usize) {
        eventually(&format!("{count} that wait"), || async {
            let waiting = self.waiting().await.len();
            if waiting == count { Ok(()) } else { Err(json!(waiting)) }
        })
        .await;
    }

    /// How many names of messages are remembered.
    async fn seen(&self) -> i64 {
        let query = sqlx::query_scalar("SELECT COUNT(*) FROM inbound_seen");
        query.fetch_one(&mut self.read().await).await.unwrap()
    }

    /// Waits until the first of what waits is due in that time, or later.
    async fn until_due_in(&self, time: Duration) {
        let due = self.scenario.now() + i64::try_from(time.as_millis()).unwrap();
        eventually("a rest", || async {
            let waiting = self.waiting().await;
            if waiting.first().is_some_and(|at| *at >= due) { Ok(()) } else { Err(json!(waiting)) }
        })
        .await;
    }

    /// All bytes of the database.
    fn database(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.scenario.folder()).unwrap().map(|file| file.unwrap().path());
        let of_database = files.filter(|file| file.to_string_lossy().contains("pqh.db"));
        of_database.flat_map(|file| std::fs::read(file).unwrap()).collect()
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn each_message_counts_once_however_often_it_comes() {
    let mut world = World::new().await;
    world.connect().await;
    let events = world.acme().events();
    let mention = events.app_mention("C0OPS", ADA, "help");
    let at_once = (0..10).map(|_| world.taken(&mention));
    futures_util::future::join_all(at_once).await;
    world.reply(&mention).await;
    for retry in mention.retries("http_timeout") {
        world.taken(&retry).await;
    }
    // The same message as another event.
    let again = events.event(&mention.json()["event"]);
    assert_ne!(again.event_id(), mention.event_id());
    world.taken(&again).await;
    world.scenario.kill().await;
    world.scenario.launch().await;
    world.taken(&mention).await;
    world.taken(&again).await;
    world.acted_on().await;
    world.reply(&mention).await;

    // Forgotten after a day: nobody repeats what is so old.
    let before = world.seen().await;
    assert!(before >= 3, "{before}");
    world.scenario.pass(25 * HOUR);
    world.acted_on().await;
    assert_eq!(world.seen().await, 2, "the last one's id and place");
}

#[tokio::test]
async fn what_slack_cannot_take_now_is_said_later_five_times_at_most() {
    let world = World::new().await;
    world.connect().await;
    world.acted_on().await;
    let before = world.slack.requests("chat.postMessage");
    world.slack.next("chat.postMessage", Misbehaviour::Page(503));
    world.slack.next("chat.postMessage", Misbehaviour::RateLimited(30));
    let mention = world.mention("C0OPS", "help").await;
    world.until_posts(before + 1).await;
    world.scenario.pass(almost(5 * SECOND));
    world.scenario.settle().await;
    world.until_posts(before + 1).await;
    world.scenario.pass(MOMENT);
    world.until_posts(before + 2).await;
    world.until_due_in(30 * SECOND).await;
    world.scenario.pass(almost(30 * SECOND));
    world.scenario.settle().await;
    world.until_posts(before + 2).await;
    world.scenario.pass(MOMENT);
    world.reply(&mention).await;

    let before = world.slack.requests("chat.postMessage");
    world.slack.always("chat.postMessage", Some(Misbehaviour::Page(503)));
    let lost = world.mention("C0OPS", "help").await;
    for attempt in 1..=5 {
        world.until_posts(before + attempt).await;
        world.scenario.pass(100 * SECOND);
    }
    world.until_waiting(0).await;
    world.slack.always("chat.postMessage", None);
    world.acted_on().await;
    world.until_posts(before + 6).await;
    assert!(
        !world
            .acme()
            .messages("C0OPS")
            .iter()
            .any(|message| { message.thread_ts.as_deref() == lost.json()["event"]["ts"].as_str() })
    );
}

#[tokio::test]
async fn what_may_have_been_posted_is_not_posted_again() {
    let world = World::new().await;
    world.connect().await;
    world.acted_on().await;
    for fault in [Misbehaviour::CloseAfter, Misbehaviour::WordAfter("fatal_error".to_owned())] {
        world.slack.next("chat.postMessage", fault);
        let mention = world.mention("C0OPS", "help").await;
        world.acted_on().await;
        world.scenario.pass(HOUR);
        world.acted_on().await;
        world.reply(&mention).await;
    }
}

#[tokio::test]
async fn killed_before_it_was_acted_on_it_is_acted_on_once_after_the_next_start() {
    let mut world = World::new().await;
    world.connect().await;
    world.acted_on().await;
    let (held, first) = world.held_reply("help").await;
    // Behind the first, and not begun.
    let second = world.mention("C0SALES", "help").await;
    world.scenario.kill().await;
    held.notify_one();
    world.scenario.launch().await;
    world.scenario.pass(5 * SECOND);
    world.reply(&second).await;
    let replies = world.replies(&first).await.len();
    assert!(replies <= 2, "{replies} replies, where it was killed in the middle of the first");
}

#[tokio::test]
async fn a_message_on_which_the_service_is_killed_each_time_is_given_up() {
    let mut world = World::new().await;
    world.connect().await;
    world.acted_on().await;
    let before = world.slack.requests("chat.postMessage");
    world.hold_next_post();
    world.mention("C0OPS", "help").await;
    for attempt in 1..=5 {
        world.until_posts(before + attempt).await;
        world.scenario.kill().await;
        world.hold_next_post();
        world.scenario.launch().await;
        world.scenario.pass(100 * SECOND);
    }
    // It is given up.
    world.until_waiting(0).await;
    world.until_posts(before + 5).await;
}

#[tokio::test]
async fn stopping_waits_for_what_was_begun_and_it_is_not_done_again() {
    let mut world = World::new().await;
    world.connect().await;
    world.acted_on().await;
    let (held, mention) = world.held_reply("help").await;
    let stopping = world.scenario.begin_to_stop();
    held.notify_one();
    stopping.end().await;
    assert!(world.waiting().await.is_empty());
    world.scenario.launch().await;
    world.scenario.pass(HOUR);
    world.acted_on().await;
    world.reply(&mention).await;
}

#[tokio::test]
async fn nothing_that_people_said_stands_in_the_database_in_clear() {
    let world = World::new().await;
    world.connect().await;
    world.acted_on().await;
    let (held, _) = world.held_reply("help me with the quarterly-canary-figures").await;
    let second = world.mention("C0OPS", "and with the second-canary-figures").await;
    let bytes = world.database();
    assert!(holds(&bytes, "CREATE TABLE inbound_seen"), "these are the database's bytes");
    for text in ["quarterly-canary", "second-canary", "app_mention", &second.event_id(), "X-Slack-Signature", "x-slack"]
    {
        assert!(!holds(&bytes, text), "{text}");
    }
    held.notify_one();
    world.reply(&second).await;
    assert!(!holds(&world.database(), "canary-figures"));
}

#[tokio::test]
async fn a_flood_from_one_workspace_delays_no_other() {
    let world = World::new().await;
    world.connect().await;
    let other = world.slack.add_workspace("T0OTHER", "Other");
    other.add_user(User::new("U0BOB", "bob", "Bob", "bob@example.com"));
    other.add_channel(Channel::public("C0OTHER", "general"));
    let (_, admin) = world.scenario.make_organization("Other").await;
    let approval = Approval::new("T0OTHER", "U0BOB").to_channel("C0OTHER");
    world.connect_as(&admin, &approval).await;
    world.acted_on().await;

    let (held, first) = world.held_reply("help").await;
    let events = world.acme().events();
    let flood = (0..600).map(|number| events.channel_rename("C0OPS", &format!("ops-{number}")));
    let mut slowest = Duration::ZERO;
    for some in flood.collect::<Vec<_>>().chunks(20) {
        let begun = Instant::now();
        futures_util::future::join_all(some.iter().map(|delivery| world.taken(delivery))).await;
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < 3 * SECOND, "{slowest:?}");
    world.until_waiting(601).await;
    let mention = other.events().app_mention("C0OTHER", "U0BOB", "help");
    assert_eq!(world.send(&mention).await.0, 200);
    let waiting = other.wait_for("C0OTHER", |messages| messages.iter().any(|message| message.app_id.is_some()));
    tokio::time::timeout(PATIENCE, waiting).await.expect("the other workspace waits");
    // The flood still waits behind its first.
    world.until_waiting(601).await;
    held.notify_one();
    world.acted_on().await;
    world.reply(&first).await;
    world.until_waiting(0).await;
    eprintln!("20 events at a time are answered within {slowest:?}");
}

#[tokio::test]
async fn while_the_database_takes_nothing_what_waits_is_looked_at_once_a_second_and_no_more() {
    let world = World::new().await;
    world.connect().await;
    world.acted_on().await;
    world.write("CREATE TRIGGER away BEFORE UPDATE ON inbound BEGIN SELECT RAISE(ABORT, 'away'); END").await;
    let begun = Instant::now();
    let mention = world.mention("C0OPS", "help").await;
    let tried = world.until_counted("not-begun", 3).await;
    let most = begun.elapsed().as_secs() + 2;
    assert!(tried <= most, "{tried} times in {:?}", begun.elapsed());
    world.write("DROP TRIGGER away").await;
    world.reply(&mention).await;
}

#[tokio::test]
async fn over_a_thousand_messages_that_wait_of_one_workspace_the_next_are_taken_and_dropped() {
    let world = World::new().await;
    world.connect().await;
    world.acted_on().await;
    let (held, first) = world.held_reply("help").await;
    world
        .write(
            "INSERT INTO inbound SELECT 'z' || value, connection_id, request, received_at, due_at, attempts FROM inbound, \
             (WITH RECURSIVE numbers (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < 998) \
             SELECT value FROM numbers)",
        )
        .await;
    let last = world.mention("C0OPS", "help").await;
    assert_eq!(world.counted("full").await, 0);
    let dropped = world.mention("C0OPS", "help").await;
    assert_eq!(world.counted("full").await, 1);
    world.until_waiting(1_000).await;
    world.write("DELETE FROM inbound WHERE id LIKE 'z%'").await;
    held.notify_one();
    world.reply(&first).await;
    world.reply(&last).await;
    world.acted_on().await;
    assert!(world.acme().replies("C0OPS", dropped.json()["event"]["ts"].as_str().unwrap()).is_empty());
}

#[tokio::test]
async fn what_waited_for_over_an_hour_is_not_acted_on_any_more() {
    let world = World::new().await;
    world.connect().await;
    world.acted_on().await;
    let before = world.slack.requests("chat.postMessage");
    world.slack.always("chat.postMessage", Some(Misbehaviour::RateLimited(600)));
    world.mention("C0OPS", "help").await;
    world.until_due_in(600 * SECOND).await;
    world.mention("C0OPS", "help").await;
    world.slack.always("chat.postMessage", None);
    world.scenario.pass(HOUR + MOMENT);
    world.until_counted("late", 2).await;
    world.until_waiting(0).await;
    world.until_posts(before + 1).await;
    world.acted_on().await;
}

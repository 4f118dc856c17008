//! Servers that are written in Python, with packages that others published: started by tests, ended with them.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test program uses its own part, and helpers of tests fail by panicking, as tests do"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Where all of it has to be there: what is missing fails the test.
const REQUIRED: &str = "PQH_REQUIRE_PYTHON";

/// Whether python3 and these packages are there. Where they have to be, that they are not fails the test.
pub fn has_python(packages: &[&str]) -> bool {
    let import = format!("import sys{}", packages.iter().map(|package| [", ", package].concat()).collect::<String>());
    let ran = Command::new("python3").args(["-c", &import]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = ran.is_ok_and(|status| status.success());
    let wanted = format!("python3 with {}", if packages.is_empty() { "nothing".into() } else { packages.join(", ") });
    assert!(found || std::env::var_os(REQUIRED).is_none(), "{wanted} is missing, and {REQUIRED} is set");
    if !found {
        println!("{wanted} is not installed: this is not tried (pip install -r tests/requirements.txt)");
    }
    found
}

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Its end ends the server, however this process ends.
    _stdin: Option<ChildStdin>,
    port: u16,
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a script of `tests/support`, which prints `{"port": …}` when it is ready, and then a line of JSON for each
    /// thing that happens.
    pub fn start(script: &str, arguments: &[&str]) -> Self {
        let path = format!("{}/tests/support/{script}", env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new("python3")
            .args(["-B", "-u", &path])
            .args(arguments)
            .env("PYTHONIOENCODING", "utf-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let stdin = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let mut first = String::new();
        output.read_line(&mut first).expect("its first line");
        let ready: Value = serde_json::from_str(&first).unwrap_or_else(|_| panic!("{script} says {first:?}"));
        let port = u16::try_from(ready["port"].as_u64().expect("a port")).unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(value);
            }
        });
        Self { child, _stdin: stdin, port, lines }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it told so far.
    pub fn lines(&self) -> Vec<Value> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it told so much, and gives all.
    pub async fn wait_for(&self, count: usize) -> Vec<Value> {
        self.wait_until(&format!("line {count}"), |lines| lines.len() >= count).await
    }

    /// Waits until what it told is enough, and gives all.
    pub async fn wait_until(&self, what: &str, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            let lines = self.lines();
            if enough(&lines) {
                return lines;
            }
            assert!(Instant::now() < until, "{what} does not come: {lines:#?}");
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }
}

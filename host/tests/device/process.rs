//! The device as a process: started, watched, stopped.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Long enough for a machine that builds something else beside the tests.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Device {
    child: Child,
    lines: Receiver<String>,
    /// Everything seen so far.
    pub seen: Vec<Value>,
}

pub struct Ended {
    pub code: Option<i32>,
    pub events: Vec<Value>,
    pub stderr: String,
}

/// `muster device --platform P --json …`.
pub fn device(platform: &str, store: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(["device", "--platform", platform, "--json", "--store"]).arg(store).args(args);
    command.env_remove("HTTP_PROXY").env_remove("http_proxy");
    command
}

impl Device {
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines, seen: Vec::new() }
    }

    /// The next line; `None` at the end.
    pub fn next(&mut self) -> Option<Value> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                let value: Value = serde_json::from_str(&line).expect("JSON, one object a line");
                self.seen.push(value.clone());
                Some(value)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("nothing for {PATIENCE:?}: {}", self.story()),
        }
    }

    /// Waits for an event that is `wanted`.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        while let Some(event) = self.next() {
            if wanted(&event) {
                return event;
            }
            assert!(Instant::now() < deadline, "no {what}: {}", self.story());
        }
        panic!("ended without {what}: {}", self.story());
    }

    pub fn until_event(&mut self, name: &str) -> Value {
        self.until(name, |event| event["event"] == name)
    }

    pub fn story(&self) -> String {
        self.seen.iter().map(|event| format!("\n{event}")).collect()
    }

    pub fn type_line(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        while self.next().is_some() {}
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let code = self.child.wait().unwrap().code();
        Ended { code, events: std::mem::take(&mut self.seen), stderr }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    pub fn story(&self) -> String {
        let events: String = self.events.iter().map(|event| format!("\n{event}")).collect();
        format!("exit {:?}{events}\n{}", self.code, self.stderr)
    }

    pub fn has_step(&self, step: &str) -> bool {
        self.events.iter().any(|event| event["step"] == step)
    }

    pub fn shows(&self, text: &str) -> bool {
        self.story().contains(text)
    }
}

/// Runs a device to its end.
pub fn run(platform: &str, store: &Path, args: &[&str]) -> Ended {
    Device::start(device(platform, store, args)).end()
}

pub fn stored(store: &Path, name: &str) -> Option<Value> {
    let bytes = std::fs::read(store.join(format!("{name}.json"))).ok()?;
    Some(serde_json::from_slice(&bytes).expect("what is stored is whole"))
}

/// A file in `dir`.
pub fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

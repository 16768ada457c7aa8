//! A service under test: its log, its socket, its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::PATIENCE;

pub struct Living {
    child: Child,
    lines: Receiver<String>,
    pub log: Vec<String>,
    pub socket: PathBuf,
}

/// `muster device --platform P --service …`.
pub fn service(platform: &str, store: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(["device", "--platform", platform, "--service", "--store"]).arg(store).args(args);
    for name in ["HTTP_PROXY", "http_proxy", "RUNTIME_DIRECTORY", "JOURNAL_STREAM", "NOTIFY_SOCKET"]
    {
        command.env_remove(name);
    }
    command
}

impl Living {
    /// With its socket in `store`.
    pub fn start(mut command: Command, store: &Path) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines, log: Vec::new(), socket: store.join("health.sock") }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of this event.
    pub fn until(&mut self, event: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.log.push(line.clone());
                    let value: Value = serde_json::from_str(&line)
                        .unwrap_or_else(|e| panic!("{e}: one object a line, not {line}"));
                    if value["event"] == event {
                        return value;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => panic!("no {event}: {:#?}", self.log),
                Err(RecvTimeoutError::Timeout) => panic!("nothing, no {event}: {:#?}", self.log),
            }
            assert!(Instant::now() < deadline, "no {event}: {:#?}", self.log);
        }
    }

    /// Waits until there was a line of each, in whatever order.
    pub fn until_each(&mut self, events: &[&str]) {
        for event in events {
            let named = format!("\"event\":\"{event}\"");
            if !self.log.iter().any(|line| line.contains(&named)) {
                self.until(event);
            }
        }
    }

    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Its exit code, and how long it took to end.
    pub fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        let code = self.child.wait().unwrap().code();
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(5)) {
            self.log.push(line);
        }
        (code, std::mem::take(&mut self.log), out)
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Status, head and body of a GET.
    pub fn get(&self, path: &str) -> (u16, String, String) {
        get(&self.socket, path)
    }

    pub fn health(&self) -> Value {
        serde_json::from_str(&self.get("/health").2).unwrap()
    }

    /// A sample of `/metrics`.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let (_, _, page) = self.get("/metrics");
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.parse().ok()
    }

    /// Waits until the health is `wanted`.
    pub fn until_health(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let health = self.health();
            if wanted(&health) {
                return health;
            }
            assert!(Instant::now() < deadline, "not {what}: {health}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn get(socket: &Path, path: &str) -> (u16, String, String) {
    let answer = say(socket, format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

/// Everything that comes back for these bytes.
pub fn say(socket: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

/// `muster device` with these arguments, to its end.
pub fn ask(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .arg("device")
        .args(args)
        .env_remove("RUNTIME_DIRECTORY")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

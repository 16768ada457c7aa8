//! Local clouds for one test, and the programs that drive them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// `muster up` on free ports with a data folder of its own; ends with the test.
pub(crate) struct Clouds {
    process: Child,
    pub(crate) addresses: Value,
    pub(crate) demo: Value,
    _data: tempfile::TempDir,
}

impl Clouds {
    pub(crate) fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(["up", "--port", "0", "--json", "--data"])
            .arg(data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses: Value =
            serde_json::from_str(&line).expect("one line of JSON with the addresses");
        let demo = get(&format!("{}/api/demo", addresses["http"].as_str().unwrap()));
        Self { process, addresses, demo, _data: data }
    }

    pub(crate) fn http(&self) -> &str {
        self.addresses["http"].as_str().unwrap()
    }

    /// Host and port of a platform's MQTT door.
    pub(crate) fn mqtt(&self, platform: &str) -> (String, u16) {
        let url = self.addresses["mqtt"][platform].as_str().unwrap();
        let (host, port) = url.strip_prefix("mqtt://").unwrap().rsplit_once(':').unwrap();
        (host.to_owned(), port.parse().unwrap())
    }

    pub(crate) fn ws(&self, platform: &str) -> &str {
        self.addresses["ws"][platform].as_str().unwrap()
    }

    /// A setting of a platform's demo device, or of the demo app.
    pub(crate) fn demo(&self, platform: &str, key: &str) -> String {
        self.demo[platform]["settings"][key]
            .as_str()
            .unwrap_or_else(|| panic!("no {platform} {key}"))
            .to_owned()
    }

    /// What operators see of a device.
    pub(crate) fn device(&self, platform: &str, product: &str, name: &str) -> Value {
        let operation = serde_json::json!({
            "platform": platform, "action": "list_devices", "product": product, "reveal": true, "limit": 1000,
        });
        let result = post(&format!("{}/api/operate", self.http()), &operation);
        let items = result["items"].as_array().unwrap_or_else(|| panic!("{result}"));
        items.iter().find(|item| item["name"] == name).cloned().unwrap_or(Value::Null)
    }
}

impl Drop for Clouds {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn get(url: &str) -> Value {
    let mut response = ureq::get(url).call().unwrap();
    serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap()
}

fn post(url: &str, body: &Value) -> Value {
    let mut response =
        ureq::post(url).content_type("application/json").send(body.to_string()).unwrap();
    serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap()
}

/// Runs a script of `tests/peers` and returns the JSON that it prints.
pub(crate) fn peer(script: &str, argument: &Value) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers").join(script);
    let program = match path.extension().and_then(|e| e.to_str()) {
        Some("mjs") => PathBuf::from("node"),
        _ => installed("MUSTER_PEERS_PYTHON"),
    };
    installed("MUSTER_PEERS_NODE");
    let output = Command::new(program)
        .arg(&path)
        .arg(argument.to_string())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = text(&output);
    let last = stdout.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|_| panic!("{script}: {stdout}{}", stderr(&output)))
}

/// Runs one of Mosquitto's clients.
pub(crate) fn mosquitto(program: &str, args: &[&str]) -> Output {
    Command::new(program).args(args).stdin(Stdio::null()).output().unwrap_or_else(|e| {
        panic!("{program}: {e}; install Debian's mosquitto-clients, or run `cargo xtask test`")
    })
}

pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn installed(name: &str) -> PathBuf {
    std::env::var_os(name).map(PathBuf::from).unwrap_or_else(|| {
        panic!("{name} is not set: run `cargo xtask test host`, which installs the peers")
    })
}

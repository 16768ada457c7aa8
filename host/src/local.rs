//! A running `muster up`, as the other commands see it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use muster::PlatformName;
use serde::Deserialize;
use serde_json::Value;

use crate::exit::{Exit, Kind};

/// Where `muster up` listens unless told otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:7878";

/// Which local clouds are meant.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct LocalArgs {
    /// The address of the local clouds [default: http://127.0.0.1:7878].
    #[arg(long, value_name = "URL", global = true, conflicts_with = "local")]
    pub url: Option<String>,
    /// The file with the line that `muster up --json` printed.
    #[arg(long, value_name = "FILE", global = true)]
    pub local: Option<PathBuf>,
}

/// The line that `muster up --json` prints.
#[derive(Debug, Clone, Deserialize)]
pub struct Addresses {
    /// The HTTP port: vendors' paths, firmware, start page.
    pub http: String,
    /// MQTT over TCP.
    #[serde(default)]
    pub mqtt: BTreeMap<PlatformName, String>,
    /// MQTT over WebSocket.
    #[serde(default)]
    pub ws: BTreeMap<PlatformName, String>,
    /// The operator API.
    pub api: String,
}

/// A client of the operator API.
#[derive(Debug)]
pub struct LocalClouds {
    agent: ureq::Agent,
    api: String,
}

/// The longest answer that is read at once: a page of 1,000 devices is far below.
const ANSWER: u64 = 64 * 1024 * 1024;

impl LocalClouds {
    /// Finds them, without asking yet whether they are there.
    pub fn find(args: &LocalArgs) -> Result<Self, Exit> {
        let api = match (&args.local, &args.url) {
            (Some(file), _) => read_addresses(file)?.api,
            (None, url) => {
                let url = url.as_deref().unwrap_or(DEFAULT_URL).trim_end_matches('/');
                if !url.starts_with("http://") {
                    return Err(Exit::usage(
                        format!("{url} is not the address of local clouds"),
                        format!("write it like --url {DEFAULT_URL}"),
                    ));
                }
                format!("{}/api", url.trim_end_matches("/api"))
            }
        };
        let config = ureq::Agent::config_builder()
            // Loopback never goes through a proxy, whatever the environment says.
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .build();
        Ok(Self { agent: config.into(), api })
    }

    /// `GET`, by the path below `/api`, query included.
    pub fn get(&self, path: &str) -> Result<Value, Exit> {
        let answer = self.agent.get(format!("{}{path}", self.api)).call();
        self.json(answer.map_err(|e| self.unreachable(&e))?)
    }

    /// `POST` of JSON.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Exit> {
        let request = self
            .agent
            .post(format!("{}{path}", self.api))
            .header("Content-Type", "application/json");
        self.json(request.send(body.to_string()).map_err(|e| self.unreachable(&e))?)
    }

    /// `POST` of a file's bytes.
    pub fn post_file(&self, path: &str, file: File) -> Result<Value, Exit> {
        let request = self
            .agent
            .post(format!("{}{path}", self.api))
            .header("Content-Type", "application/octet-stream");
        self.json(request.send(file).map_err(|e| self.unreachable(&e))?)
    }

    /// `GET`, as a stream that may never end.
    pub fn stream(&self, path: &str) -> Result<impl std::io::Read + use<>, Exit> {
        let answer = self
            .agent
            .get(format!("{}{path}", self.api))
            .call()
            .map_err(|e| self.unreachable(&e))?;
        if answer.status().is_success() {
            Ok(answer.into_body().into_with_config().limit(u64::MAX).reader())
        } else {
            Err(self.json(answer).err().unwrap_or_else(|| self.strange()))
        }
    }

    fn json(&self, answer: ureq::http::Response<ureq::Body>) -> Result<Value, Exit> {
        let status = answer.status().as_u16();
        let body = answer
            .into_body()
            .into_with_config()
            .limit(ANSWER)
            .read_to_vec()
            .map_err(|e| self.unreachable(&e))?;
        let value: Value = serde_json::from_slice(&body).map_err(|_| self.strange())?;
        if (200..300).contains(&status) {
            return Ok(value);
        }
        let text =
            |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = match status {
            // The machine's trouble, not an answer of the cloud.
            507 => Kind::Local,
            503 | 504 => Kind::Network,
            _ => Kind::Rejected,
        };
        let message = text("message");
        if message.is_empty() {
            Err(self.strange())
        } else {
            Err(Exit::new(kind, message, text("next")))
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> Exit {
        Exit::network(
            format!("no local clouds at {}: {error}", self.api),
            "start them with `muster up`, or say where they are with --url URL or --local FILE",
        )
    }

    fn strange(&self) -> Exit {
        Exit::network(
            format!("what answers at {} is not `muster up`", self.api),
            "say where the local clouds are with --url URL or --local FILE",
        )
    }
}

/// Reads the line that `muster up --json` printed.
pub fn read_addresses(file: &Path) -> Result<Addresses, Exit> {
    let text = std::fs::read_to_string(file).map_err(|e| {
        Exit::local(
            format!("cannot read {}: {e}", file.display()),
            "make it with: muster up --json > FILE",
        )
    })?;
    serde_json::from_str(text.trim()).map_err(|e| {
        Exit::usage(
            format!("{} does not hold the line of `muster up --json`: {e}", file.display()),
            "make it with: muster up --json > FILE",
        )
    })
}

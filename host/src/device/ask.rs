//! `muster device status`: asks a device that runs as a service how it is.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::service::SOCKET;
use crate::exit::Exit;
use crate::text::harmless;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    /// The device's folder, with the socket in it.
    #[arg(long, value_name = "DIR", required_unless_present = "socket")]
    pub(super) store: Option<PathBuf>,
    /// The socket, if it is elsewhere, as under systemd: /run/muster-device/NAME/health.sock.
    #[arg(long, value_name = "PATH", conflicts_with = "store")]
    pub(super) socket: Option<PathBuf>,
    /// The answer as it came.
    #[arg(long)]
    pub(super) json: bool,
}

const WITHIN: Duration = Duration::from_secs(5);
const MOST: u64 = 64 * 1024;
const NEXT: &str =
    "is a device running there with --service? docs/service.md says where its socket is";

/// Runs the command: 0 if the device is healthy, 3 if it is not, 4 if nobody answers.
pub(super) fn run(args: StatusArgs) -> Result<(), Exit> {
    let path = match (args.socket, args.store) {
        (Some(path), _) => path,
        (None, store) => store.unwrap_or_default().join(SOCKET),
    };
    let no = |why: String| Exit::local(format!("no answer at {}: {why}", path.display()), NEXT);
    let answer = ask(&path).map_err(|e| no(e.to_string()))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status: Value = serde_json::from_str(body)
        .map_err(|_| no("something else than a device answers there".into()))?;
    if !head.starts_with("HTTP/1.1 ") || status.get("healthy").is_none() {
        return Err(no("something else than a device answers there".into()));
    }
    if args.json {
        println!("{status}");
    } else {
        println!("{}", harmless(&describe(&status)));
    }
    if status.get("healthy") == Some(&Value::Bool(true)) {
        return Ok(());
    }
    let why = status.get("why").and_then(Value::as_str).unwrap_or("it does not say why");
    let next =
        status.pointer("/last_error/next").and_then(Value::as_str).unwrap_or("look into its log");
    Err(Exit::network(format!("the device is not healthy: {why}"), next))
}

#[cfg(unix)]
fn ask(path: &Path) -> std::io::Result<String> {
    let mut stream = std::os::unix::net::UnixStream::connect(path)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.set_write_timeout(Some(WITHIN))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(MOST).read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(not(unix))]
fn ask(_: &Path) -> std::io::Result<String> {
    Err(std::io::Error::other("there are no Unix sockets on this system"))
}

fn describe(status: &Value) -> String {
    let word = |key: &str| status.get(key).and_then(Value::as_str).unwrap_or("-");
    let number = |key: &str| status.get(key).and_then(Value::as_u64).unwrap_or(0);
    let flag = |key: &str| match status.get(key).and_then(Value::as_bool) {
        Some(true) => "yes",
        Some(false) => "no",
        None => "-",
    };
    let trial = if flag("plugin_on_trial") == "yes" { ", on trial" } else { "" };
    let mut text = format!(
        "{} device {} of product {}\n  \
         state:          {} since {}\n  \
         healthy:        {}\n  \
         registered:     {}\n  \
         connected:      {}\n  \
         last heartbeat: {}\n  \
         next due:       {}\n  \
         plugin:         {}{trial}; {} failures, {} restarts\n  \
         running:        since {}, process {}, version {}",
        word("platform"),
        word("device"),
        word("product"),
        word("state"),
        word("since"),
        flag("healthy"),
        flag("registered"),
        flag("connected"),
        word("last_heartbeat"),
        word("next_due"),
        word("plugin"),
        number("plugin_failures"),
        number("plugin_restarts"),
        word("started"),
        number("pid"),
        word("version"),
    );
    if let Some(problem) = status.get("last_error").filter(|problem| problem.is_object()) {
        let word = |key: &str| problem.get(key).and_then(Value::as_str);
        text.push_str(&format!(
            "\n  last error:     {} at {}",
            word("what").unwrap_or("-"),
            word("time").unwrap_or("-")
        ));
        for (label, key) in [("detail", "detail"), ("next", "next")] {
            if let Some(more) = word(key) {
                text.push_str(&format!("\n    {label}: {more}"));
            }
        }
    }
    text
}

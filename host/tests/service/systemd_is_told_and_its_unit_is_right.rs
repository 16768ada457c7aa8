//! `sd_notify` as systemd hears it, and the unit as `systemd-analyze` reads it.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::clouds::Clouds;
use super::hostile::Plugin;
use super::living::{Living, service};
use super::process::{PATIENCE, write};

struct Manager(UnixDatagram);

impl Manager {
    fn at(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// Waits for a message that begins so.
    fn hear(&self, begin: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut buffer = [0; 512];
            let length = self.0.recv(&mut buffer).unwrap_or_else(|e| panic!("no {begin}: {e}"));
            let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
            if message.starts_with(begin) {
                return message;
            }
            assert!(Instant::now() < deadline, "no {begin}");
        }
    }
}

#[test]
fn systemd_hears_of_the_beginning_the_state_the_loop_and_the_end() {
    let clouds = Clouds::start();
    let store = clouds.store("d");
    let at = clouds.dir.path().join("notify");
    let manager = Manager::at(&at);
    let mut command = service("ucloud", &store, &["--local", &clouds.local()]);
    command.env("NOTIFY_SOCKET", &at).env("WATCHDOG_USEC", "1000000");
    let mut device = Living::start(command, &store);
    manager.hear("READY=1");
    manager.hear("STATUS=ready");
    let begin = Instant::now();
    for _ in 0..3 {
        manager.hear("WATCHDOG=1");
    }
    assert!(begin.elapsed() < Duration::from_secs(10), "twice a second: {:?}", begin.elapsed());
    device.until("heartbeat");
    device.signal("-TERM");
    let stopping = manager.hear("STOPPING=1");
    assert!(stopping.contains("STATUS="), "{stopping}");
    assert_eq!(device.end().0, Some(0));
}

/// All units share the manager's socket. When many start at once its queue is full, and a `READY=1` that got lost would
/// have the device killed for not having started.
#[test]
fn a_manager_that_is_busy_at_first_hears_of_the_beginning_later() {
    let clouds = Clouds::start();
    let store = clouds.store("d");
    let at = clouds.dir.path().join("notify");
    let manager = Manager::at(&at);
    let mut others = Vec::new();
    loop {
        let other = UnixDatagram::unbound().unwrap();
        other.set_nonblocking(true).unwrap();
        // One of them alone may run into its own limit first.
        if other.send_to(b"OTHER=1", &at).is_err() {
            break;
        }
        while other.send_to(b"OTHER=1", &at).is_ok() {}
        others.push(other);
    }
    let mut command = service("ucloud", &store, &["--local", &clouds.local()]);
    command.env("NOTIFY_SOCKET", &at);
    let mut device = Living::start(command, &store);
    device.until("ready");
    manager.hear("READY=1");
    manager.hear("STATUS=ready");
}

/// A plugin that works for seconds on end: a thread beside the loop would feed the watchdog happily.
#[test]
fn the_watchdog_starves_while_the_loop_waits_for_a_call() {
    let clouds = Clouds::start();
    let store = clouds.store("d");
    let at = clouds.dir.path().join("notify");
    let manager = Manager::at(&at);
    let endless = Plugin { first: "(loop $l (br $l))", ..Plugin::handling(vec![]) };
    std::fs::write(clouds.dir.path().join("endless.wasm"), endless.wasm()).unwrap();
    let plugin = clouds.dir.path().join("endless.wasm").display().to_string();
    let mut text = String::new();
    for (key, value) in clouds.demo["ucloud"]["settings"].as_object().unwrap() {
        text += &format!("{key} = {value}\n");
    }
    text +=
        "[limits]\ndeadline_ms = 3000\nfuel = 10000000000\nlast_good = \"none\"\nrestarts = 0\n";
    let file = write(clouds.dir.path(), "p.toml", &text).display().to_string();
    let mut command = service("ucloud", &store, &["--config", &file, "--plugin", &plugin]);
    command.env("NOTIFY_SOCKET", &at).env("WATCHDOG_USEC", "1000000");
    let begin = Instant::now();
    let device = Living::start(command, &store);
    manager.hear("READY=1");
    // Meanwhile the socket answers.
    let deadline = Instant::now() + PATIENCE;
    while !device.socket.exists() && Instant::now() < deadline {}
    assert_eq!(device.get("/health").0, 200);
    let (code, log, _) = device.end();
    assert_eq!(code, Some(4), "{log:#?}");
    assert!(begin.elapsed() > Duration::from_millis(2500));
    manager.0.set_nonblocking(true).unwrap();
    let mut fed = 0;
    let mut buffer = [0; 512];
    while let Ok(length) = manager.0.recv(&mut buffer) {
        fed += u32::from(buffer[..length].starts_with(b"WATCHDOG=1"));
    }
    assert!(fed <= 1, "fed {fed} times in a call of three seconds, at twice a second");
    assert!(log.iter().any(|line| line.contains("shorter than two calls")), "{log:#?}");
}

#[test]
fn the_unit_is_right() {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist");
    let unit = std::fs::read_to_string(dist.join("muster-device@.service")).unwrap();
    for line in [
        "Type=notify",
        "WatchdogSec=30",
        "Restart=on-failure",
        "RestartPreventExitStatus=1 2",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "StateDirectory=muster-device/%i",
        "StateDirectoryMode=0700",
        "SystemCallFilter=@system-service",
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    ] {
        assert!(unit.lines().any(|l| l == line), "{line}");
    }
    let binary = env!("CARGO_BIN_EXE_muster");
    let exec = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    // The command line is one that the command takes: what stops it is the file that is not there.
    let line = exec
        .replace("/usr/bin/muster", binary)
        .replace("${MUSTER_PLATFORM}", "ucloud")
        .replace("${STATE_DIRECTORY}", "/nonexistent")
        .replace("%i", "nonexistent");
    let mut words = line.split(' ');
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(4) && said.contains("device.toml"), "{said}");

    let dir = tempfile::tempdir().unwrap();
    let text = unit.replace("/usr/bin/muster", binary);
    write(dir.path(), "muster-device@.service", &text);
    let at = dir.path().join("muster-device@test.service");
    std::fs::copy(dir.path().join("muster-device@.service"), &at).unwrap();
    // Part of Debian's systemd. Without it the lines above are what is known.
    match Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&at).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let about_it = said.lines().any(|line| line.contains("muster-device"));
            assert!(output.status.success() && !about_it, "{said}");
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("systemd-analyze is not there: its part is left out");
        }
        Err(e) => panic!("systemd-analyze: {e}"),
    }
}

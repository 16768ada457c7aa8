//! What systemd wants to hear: `sd_notify(3)`, a datagram of `KEY=value` lines to the socket in `NOTIFY_SOCKET`.
//!
//! The protocol is a line of text, so no library. The watchdog is fed by the driver's loop and by nobody else: a thread
//! beside it would tell that a thread beside it runs. Where no one listens, nothing is said.
//!
//! All units share one socket, and its queue may be full when many of them start at once. Nobody waits for it: what was not
//! taken is said again a little later. A lost `READY=1` would have a device that is well killed for not having started.

use std::time::Duration;

use tokio::time::Instant;

/// What was not taken is said again after this time.
const AGAIN: Duration = Duration::from_millis(100);

/// The service manager, if there is one.
pub(super) struct Notify {
    #[cfg(unix)]
    to: Option<unix::Manager>,
    watchdog: Option<Duration>,
    fed: Instant,
    /// What it has still to hear: that the device has begun, and how it is.
    begun: bool,
    state: Option<&'static str>,
    /// When to say again what was not taken.
    again_at: Option<Instant>,
}

impl Notify {
    pub(super) fn from_environment() -> Self {
        let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        // The watchdog may be another process's.
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let every = number("WATCHDOG_USEC").filter(|&every| ours && every > 0);
        Self {
            #[cfg(unix)]
            to: std::env::var_os("NOTIFY_SOCKET").and_then(unix::Manager::find),
            watchdog: every.map(Duration::from_micros),
            fed: Instant::now(),
            begun: false,
            state: None,
            again_at: None,
        }
    }

    /// The device has begun.
    pub(super) fn begun(&mut self) {
        self.begun = true;
        self.turn();
    }

    /// How the device is from now on, for `systemctl status`; said at the next turn.
    pub(super) fn state(&mut self, sentence: &'static str) {
        self.state = Some(sentence);
    }

    /// It begins to end. Said once: there is no next turn, and systemd sees the end itself.
    pub(super) fn stopping(&mut self, sentence: &str) {
        self.say(&format!("STOPPING=1\nSTATUS={sentence}"));
    }

    /// Says what has not been heard so far, and feeds the watchdog if it is time.
    pub(super) fn turn(&mut self) {
        self.turn_at(Instant::now());
    }

    fn turn_at(&mut self, now: Instant) {
        if self.again_at.is_none_or(|at| at <= now) {
            let heard = self.say_what_is_due(now);
            self.again_at = (!heard).then(|| now + AGAIN);
        }
    }

    /// Whether all of it was heard.
    fn say_what_is_due(&mut self, now: Instant) -> bool {
        if self.begun && !self.say("READY=1") {
            return false;
        }
        self.begun = false;
        if self.feed_at().is_some_and(|at| at <= now) {
            if !self.say("WATCHDOG=1") {
                return false;
            }
            self.fed = now;
        }
        if self.state.is_some_and(|sentence| !self.say(&format!("STATUS={sentence}"))) {
            return false;
        }
        self.state = None;
        true
    }

    /// `false`: there was no room for it. Nothing comes back, and nobody may be there.
    fn say(&self, words: &str) -> bool {
        #[cfg(unix)]
        if let Some(manager) = &self.to {
            return manager.send(words);
        }
        #[cfg(not(unix))]
        let _ = words;
        true
    }

    /// How long the watchdog waits for food.
    pub(super) fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// When there is something to say next.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.again_at.or(self.feed_at())
    }

    /// Twice as often as it has to be, which is what systemd's page recommends.
    fn feed_at(&self) -> Option<Instant> {
        self.watchdog.map(|every| self.fed + every / 2)
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsString;
    use std::io::ErrorKind;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    pub(super) struct Manager {
        socket: UnixDatagram,
        at: SocketAddr,
    }

    impl Manager {
        pub(super) fn find(at: OsString) -> Option<Self> {
            let at = match at.as_bytes().strip_prefix(b"@") {
                #[cfg(target_os = "linux")]
                Some(name) => {
                    use std::os::linux::net::SocketAddrExt;
                    SocketAddr::from_abstract_name(name).ok()?
                }
                #[cfg(not(target_os = "linux"))]
                Some(_) => return None,
                None => SocketAddr::from_pathname(&at).ok()?,
            };
            let socket = UnixDatagram::unbound().ok()?;
            // A manager that does not read must not hold the device up.
            socket.set_nonblocking(true).ok()?;
            Some(Self { socket, at })
        }

        /// Whether it is in the queue, or never will be: a socket that is gone does not come back under this name.
        pub(super) fn send(&self, words: &str) -> bool {
            let sent = self.socket.send_to_addr(words.as_bytes(), &self.at);
            !sent.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    /// Sends until there is room for nobody. The queue is as long as the senders live.
    fn fill(manager: &UnixDatagram) -> Vec<UnixDatagram> {
        let at = manager.local_addr().unwrap();
        let mut others = Vec::new();
        loop {
            let other = UnixDatagram::unbound().unwrap();
            other.set_nonblocking(true).unwrap();
            // One of them alone may run into its own limit first.
            if other.send_to_addr(b"other", &at).is_err() {
                return others;
            }
            while other.send_to_addr(b"other", &at).is_ok() {}
            others.push(other);
        }
    }

    /// What it was told, but for the others' words.
    fn heard(manager: &UnixDatagram) -> Vec<String> {
        let mut words = Vec::new();
        let mut buffer = [0; 64];
        while let Ok(length) = manager.recv(&mut buffer) {
            words.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
        }
        words.retain(|words| words != "other");
        words
    }

    #[test]
    fn what_finds_no_room_is_said_again_until_it_is_heard() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().join("notify");
        let manager = UnixDatagram::bind(&at).unwrap();
        manager.set_nonblocking(true).unwrap();
        let begin = Instant::now();
        let mut it = Notify {
            to: unix::Manager::find(at.into()),
            watchdog: Some(Duration::from_secs(2)),
            fed: begin,
            begun: true,
            state: Some("starting"),
            again_at: None,
        };
        let others = fill(&manager);
        it.turn_at(begin);
        assert_eq!(it.wake_at(), Some(begin + AGAIN));
        assert_eq!(heard(&manager), [""; 0]);
        it.state("ready");
        it.turn_at(begin + AGAIN / 2);
        assert_eq!(heard(&manager), [""; 0], "the loop may turn as often as it likes");
        it.turn_at(begin + AGAIN);
        assert_eq!(heard(&manager), ["READY=1", "STATUS=ready"]);
        it.turn_at(begin + 2 * AGAIN);
        assert_eq!(heard(&manager), [""; 0], "once each");
        drop(others);

        let hungry = begin + Duration::from_secs(1);
        assert_eq!(it.wake_at(), Some(hungry));
        let _others = fill(&manager);
        it.turn_at(hungry);
        assert_eq!((it.wake_at(), heard(&manager).len()), (Some(hungry + AGAIN), 0));
        it.turn_at(hungry + AGAIN);
        assert_eq!(heard(&manager), ["WATCHDOG=1"]);
        assert_eq!(it.wake_at(), Some(hungry + AGAIN + Duration::from_secs(1)));
    }

    #[test]
    fn a_manager_that_is_gone_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let to = unix::Manager::find(dir.path().join("nobody").into());
        assert!(to.is_some());
        let begin = Instant::now();
        let mut it =
            Notify { to, watchdog: None, fed: begin, begun: true, state: None, again_at: None };
        it.turn_at(begin);
        assert_eq!(it.wake_at(), None);
    }
}

//! What systemd wants to hear: `sd_notify(3)`, a datagram of `KEY=value` lines to the socket in `NOTIFY_SOCKET`.
//!
//! The protocol is a line of text, so no library. The watchdog is fed by the driver's loop and by nobody else: a thread
//! beside it would tell that a thread beside it runs. Where no one listens, nothing is said.

use std::time::Duration;

use tokio::time::Instant;

/// The service manager, if there is one.
pub(super) struct Notify {
    #[cfg(unix)]
    to: Option<unix::Manager>,
    watchdog: Option<Duration>,
    fed: Instant,
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
        }
    }

    /// Nothing comes back, and nobody may be there.
    pub(super) fn say(&self, words: &str) {
        #[cfg(unix)]
        if let Some(manager) = &self.to {
            manager.send(words);
        }
        #[cfg(not(unix))]
        let _ = words;
    }

    /// How long it waits for food.
    pub(super) fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// When to feed next: twice as often as it has to be, which is what systemd's page recommends.
    pub(super) fn feed_at(&self) -> Option<Instant> {
        self.watchdog.map(|every| self.fed + every / 2)
    }

    /// Feeds, if it is time.
    pub(super) fn feed(&mut self) {
        if self.feed_at().is_some_and(|at| at <= Instant::now()) {
            self.fed = Instant::now();
            self.say("WATCHDOG=1");
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsString;
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

        pub(super) fn send(&self, words: &str) {
            let _ = self.socket.send_to_addr(words.as_bytes(), &self.at);
        }
    }
}

//! Ctrl-C and its like.

#[cfg(feature = "full")]
use tokio::sync::watch;

use crate::exit::Exit;

/// What a signal asks for.
pub(super) enum Signal {
    /// SIGINT, SIGTERM, or Ctrl-C: log out and end.
    End,
    /// SIGUSR1: report now.
    Report,
    /// SIGHUP, in a service: elsewhere it means that the terminal is gone, and ends the process as usual.
    #[cfg_attr(not(unix), allow(dead_code))]
    Hangup,
}

/// Where they come from.
pub(super) enum Signals {
    System(System),
    /// A device of a fleet ends when the fleet does.
    #[cfg(feature = "full")]
    Fleet(watch::Receiver<bool>),
}

impl Signals {
    /// `service`: SIGHUP is heard of.
    pub(super) fn listen(service: bool) -> Result<Self, Exit> {
        System::listen(service).map(Self::System)
    }

    #[cfg(feature = "full")]
    pub(super) fn of_fleet(stopped: watch::Receiver<bool>) -> Self {
        Self::Fleet(stopped)
    }

    pub(super) async fn next(&mut self) -> Signal {
        match self {
            Self::System(system) => system.next().await,
            #[cfg(feature = "full")]
            // A fleet that is gone ends its devices too.
            Self::Fleet(stopped) => {
                let _ = stopped.wait_for(|stop| *stop).await;
                Signal::End
            }
        }
    }
}

#[cfg(unix)]
pub(super) struct System {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    user: tokio::signal::unix::Signal,
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl System {
    fn listen(service: bool) -> Result<Self, Exit> {
        use tokio::signal::unix::{SignalKind, signal};
        let on = |kind| {
            signal(kind).map_err(|e| Exit::local(format!("cannot listen for signals: {e}"), ""))
        };
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
            user: on(SignalKind::user_defined1())?,
            hangup: service.then(|| on(SignalKind::hangup())).transpose()?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::End,
            _ = self.terminate.recv() => Signal::End,
            _ = self.user.recv() => Signal::Report,
            () = hung_up(&mut self.hangup) => Signal::Hangup,
        }
    }
}

#[cfg(unix)]
async fn hung_up(hangup: &mut Option<tokio::signal::unix::Signal>) {
    match hangup {
        Some(hangup) => {
            hangup.recv().await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(not(unix))]
pub(super) struct System;

#[cfg(not(unix))]
impl System {
    fn listen(_: bool) -> Result<Self, Exit> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::End,
            Err(_) => std::future::pending().await,
        }
    }
}

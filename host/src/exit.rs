//! How a command ends: 0 done, 1 rejected by the cloud, 2 usage, 3 network or timeout, 4 local I/O.

use std::fmt;

/// Why a command failed, what to do next, and the exit code that says so to a script.
#[derive(Debug)]
pub struct Exit {
    /// See the variants.
    pub kind: Kind,
    /// What went wrong, for a person. Never a secret.
    pub message: String,
    /// The next move.
    pub next: String,
}

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The cloud said no.
    Rejected = 1,
    /// The command line or a setting is wrong.
    Usage = 2,
    /// The network failed, or nothing came back in time.
    Network = 3,
    /// A file, a port or another local resource failed.
    Local = 4,
}

impl Exit {
    /// A failure with its next move.
    pub fn new(kind: Kind, message: impl fmt::Display, next: impl Into<String>) -> Self {
        Self { kind, message: message.to_string(), next: next.into() }
    }

    /// The cloud said no.
    pub fn rejected(message: impl fmt::Display, next: impl Into<String>) -> Self {
        Self::new(Kind::Rejected, message, next)
    }

    /// The command line or a setting is wrong.
    pub fn usage(message: impl fmt::Display, next: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message, next)
    }

    /// The network failed.
    pub fn network(message: impl fmt::Display, next: impl Into<String>) -> Self {
        Self::new(Kind::Network, message, next)
    }

    /// A file, a port or another local resource failed.
    pub fn local(message: impl fmt::Display, next: impl Into<String>) -> Self {
        Self::new(Kind::Local, message, next)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        if !self.next.is_empty() {
            write!(f, "\n  next: {}", self.next)?;
        }
        Ok(())
    }
}

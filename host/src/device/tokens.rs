//! Which answers a plugin may wait for.
//!
//! Each command that gets an answer bears a token of its own. A plugin that gives two of them the same token at a
//! time, or closes and cancels what it never opened, does not keep to the contract (`docs/abi.md`): nobody can tell
//! any more what an answer would answer.

use std::collections::HashMap;

use muster::{Ack, Command, Input, Token};

use crate::plugin::PluginError;

/// Requests and downloads at a time: each takes a thread.
const MOST_REQUESTS: usize = 16;
/// Subscriptions and publications that are not acknowledged yet; as many as MQTT's session keeps.
const MOST_UNACKED: usize = 1000;

/// The tokens that are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Tokens {
    open: HashMap<Token, Kind>,
    /// Of the last connection and download, whether they are over or not: the plugin may not know yet.
    connection: Option<Token>,
    download: Option<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Connection,
    /// Void with the connection.
    OnConnection,
    Request,
    Download,
    Local,
}

/// Whether a command may be carried out now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begun {
    Yes,
    /// There are too many of its kind under way.
    TooMany,
}

impl Tokens {
    /// A command comes.
    pub(super) fn begin(&mut self, command: &Command) -> Result<Begun, PluginError> {
        let (token, kind) = match command {
            Command::Connect(token, _) => (*token, Kind::Connection),
            Command::Subscribe(token, _) | Command::Publish(token, _) => {
                (*token, Kind::OnConnection)
            }
            Command::Request(token, _) => (*token, Kind::Request),
            Command::Download(token, _) => (*token, Kind::Download),
            Command::Store(token, ..) | Command::Erase(token, _) | Command::Install(token, _) => {
                (*token, Kind::Local)
            }
            Command::Close(token) => return known(self.connection, *token, "close"),
            Command::CancelDownload(token) => {
                self.open.remove(token);
                return known(self.download, *token, "cancellation of a download");
            }
            // Unknown to this host: it must fail, not ignore it.
            other => return Err(PluginError::Host(format!("it cannot carry out {other:?}"))),
        };
        if self.open.contains_key(&token) {
            return Err(PluginError::Token { command: name(command), token: token.0 });
        }
        let most = match kind {
            Kind::Connection => {
                // There is one connection at a time: a new one ends the old one and what it carried.
                self.end_connection();
                self.connection = Some(token);
                usize::MAX
            }
            Kind::Request => MOST_REQUESTS,
            Kind::Download => {
                self.download = Some(token);
                1
            }
            Kind::OnConnection => MOST_UNACKED,
            Kind::Local => usize::MAX,
        };
        if self.open.values().filter(|&&other| other == kind).count() >= most {
            return Ok(Begun::TooMany);
        }
        self.open.insert(token, kind);
        Ok(Begun::Yes)
    }

    /// An answer goes to the plugin.
    pub(super) fn answered(&mut self, input: &Input) {
        match input {
            Input::Closed(token, _) if self.open.contains_key(token) => self.end_connection(),
            Input::Acked(token, Ack::Published | Ack::Subscribed(_) | Ack::SubscribeRefused)
            | Input::Response(token, _)
            | Input::Stored(token, _)
            | Input::Downloaded(token, _)
            | Input::Installed(token, _) => {
                self.open.remove(token);
            }
            _ => {}
        }
    }

    /// A command was not carried out and gets no answer.
    pub(super) fn void(&mut self, token: Token) {
        self.open.remove(&token);
    }

    fn end_connection(&mut self) {
        self.open.retain(|_, kind| !matches!(kind, Kind::Connection | Kind::OnConnection));
    }
}

fn known(last: Option<Token>, token: Token, command: &'static str) -> Result<Begun, PluginError> {
    if last == Some(token) {
        Ok(Begun::Yes)
    } else {
        Err(PluginError::Token { command, token: token.0 })
    }
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::Connect(..) => "connection",
        Command::Subscribe(..) => "subscription",
        Command::Publish(..) => "publication",
        Command::Request(..) => "request",
        Command::Download(..) => "download",
        Command::Install(..) => "installation",
        _ => "store or erase",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster::{Closed, Outcome, StoreKey};

    fn erase(token: u32) -> Command {
        Command::Erase(Token(token), StoreKey::Firmware)
    }

    #[test]
    fn a_token_is_free_again_after_its_answer() {
        let mut tokens = Tokens::default();
        assert_eq!(tokens.begin(&erase(1)), Ok(Begun::Yes));
        let twice = PluginError::Token { command: "store or erase", token: 1 };
        assert_eq!(tokens.begin(&erase(1)), Err(twice));
        tokens.answered(&Input::Stored(Token(1), Outcome::Done));
        assert_eq!(tokens.begin(&erase(1)), Ok(Begun::Yes));
    }

    #[test]
    fn only_what_was_opened_is_closed() {
        let mut tokens = Tokens::default();
        assert!(tokens.begin(&Command::Close(Token(1))).is_err());
        assert!(tokens.begin(&Command::CancelDownload(Token(1))).is_err());
        let url = "mqtt://h".to_owned();
        let connect = muster::Connect {
            url,
            client_id: String::new(),
            username: String::new(),
            password: muster::Secret::new(""),
            keep_alive: 60,
        };
        tokens.begin(&Command::Connect(Token(1), connect)).unwrap();
        // It may have ended by itself just now.
        tokens.answered(&Input::Closed(Token(1), Closed::Requested));
        assert_eq!(tokens.begin(&Command::Close(Token(1))), Ok(Begun::Yes));
        assert!(tokens.begin(&Command::Close(Token(2))).is_err());
    }

    #[test]
    fn requests_at_a_time_are_bounded() {
        let mut tokens = Tokens::default();
        let request = |token| {
            let request = muster::http::Request {
                method: "GET".into(),
                url: "http://h".into(),
                headers: Vec::new(),
                body: Vec::new(),
            };
            Command::Request(Token(token), request)
        };
        for token in 0..16 {
            assert_eq!(tokens.begin(&request(token)), Ok(Begun::Yes));
        }
        assert_eq!(tokens.begin(&request(16)), Ok(Begun::TooMany));
    }
}

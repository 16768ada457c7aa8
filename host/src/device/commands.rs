//! What a person may type while a device lives.

use std::io::BufRead;

use muster::Intent;
use tokio::sync::mpsc;

/// The list, for `help`.
pub(super) const HELP: &str = "\
report          send the heartbeat or version report now
again           try again after a stop, or without waiting
register-again  forget the stored secret and register anew: voids the secret of a device in the field
post JSON       post properties: post {\"temperature\":21}
bind-token      make a new bind token and report it (alibaba)
firmware        ask whether an update is waiting (ucloud)
quit            log out and end";

/// A line that was understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Intent(Intent),
    Help,
    Quit,
}

/// Understands one line; the error is for the person.
pub(super) fn parse(line: &str) -> Result<Option<Wish>, String> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let intent = match (word, rest) {
        ("", _) => return Ok(None),
        ("help" | "?", "") => return Ok(Some(Wish::Help)),
        ("quit" | "exit", "") => return Ok(Some(Wish::Quit)),
        ("report", "") => Intent::Report,
        ("again", "") => Intent::TryAgain,
        ("register-again", "") => Intent::RegisterAgain,
        ("bind-token", "") => Intent::NewBindToken,
        ("firmware", "") => Intent::RequestFirmware,
        ("post", json) => match serde_json::from_str::<serde_json::Value>(json) {
            Ok(serde_json::Value::Object(_)) => Intent::PostProperties { json: json.to_owned() },
            _ => return Err("post takes a JSON object: post {\"temperature\":21}".into()),
        },
        _ => return Err(format!("`{word}` is not a command as written; type help")),
    };
    Ok(Some(Wish::Intent(intent)))
}

/// Reads lines of stdin on a thread of its own until it ends. The thread dies with the process.
pub(super) fn listen() -> mpsc::Receiver<String> {
    let (lines, inbox) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    inbox
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood_or_refused() {
        assert_eq!(parse("  "), Ok(None));
        assert_eq!(parse("report\n"), Ok(Some(Wish::Intent(Intent::Report))));
        assert_eq!(parse("again"), Ok(Some(Wish::Intent(Intent::TryAgain))));
        assert_eq!(parse("quit"), Ok(Some(Wish::Quit)));
        let json = "{\"a\": 1}".to_owned();
        assert_eq!(
            parse("post {\"a\": 1}"),
            Ok(Some(Wish::Intent(Intent::PostProperties { json })))
        );
        for bad in ["post", "post 1", "report now", "register"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_command_of_the_list_is_one() {
        for line in HELP.lines() {
            let (word, _) = line.split_once("  ").or_else(|| line.split_once(' ')).unwrap();
            let typed = if word.starts_with("post") { "post {}" } else { word };
            assert!(parse(typed).unwrap().is_some(), "{line}");
        }
    }
}

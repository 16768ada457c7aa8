//! The files of recorded calls, and how they are read and written. `README.md` beside this file has their format.

use std::fmt::Write as _;

use muster::hex;

/// One line of calls and what has to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The calls from here on go to a fresh instance.
    New,
    /// A function, its request (empty where it takes none) and its reply.
    Call { function: String, request: Vec<u8>, reply: Vec<u8> },
}

pub(crate) fn write(about: &str, entries: &[Entry]) -> String {
    let mut text = String::new();
    for line in about.lines() {
        let _ = writeln!(text, "# {line}");
    }
    for entry in entries {
        match entry {
            Entry::New => text.push_str("new\n"),
            Entry::Call { function, request, reply } => {
                let line = format!("{function} {}", hex::lower(request));
                let _ = writeln!(text, "{}\n= {}", line.trim_end(), hex::lower(reply));
            }
        }
    }
    text
}

pub(crate) fn read(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    while let Some(line) = lines.next() {
        if line == "new" {
            entries.push(Entry::New);
            continue;
        }
        let (function, request) = line.split_once(' ').unwrap_or((line, ""));
        let reply = lines.next().and_then(|line| line.strip_prefix("= ")).unwrap();
        entries.push(Entry::Call {
            function: function.into(),
            request: bytes(request),
            reply: bytes(reply),
        });
    }
    entries
}

fn bytes(hex: &str) -> Vec<u8> {
    assert_eq!(hex.len() % 2, 0);
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

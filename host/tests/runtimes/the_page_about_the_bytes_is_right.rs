//! `docs/abi.md`: its CDDL against an example of every kind of message and every recorded call, its worked bytes
//! against the code.

use std::ffi::OsStr;
use std::fs;

use muster::wire::Guest;

use super::support::{installed, recordings, stdout, workspace};

#[test]
fn in_its_cddl() {
    let python = installed("MUSTER_RUNTIMES_PYTHON");
    let mut files = vec![
        workspace("tests/peers/runtimes/cddl.py"),
        workspace("docs/abi.md"),
        workspace("tests/conformance/shapes.txt"),
    ];
    files.extend(recordings());
    let args: Vec<&OsStr> = files.iter().map(|file| file.as_os_str()).collect();
    let said = stdout(&python, &args);
    assert!(said.contains(" examples, "), "{said}");
}

#[test]
fn in_its_worked_bytes() {
    let page = fs::read_to_string(workspace("docs/abi.md")).unwrap();
    let mut guest = Guest::new();
    let mut reply = Vec::new();
    let mut told = Vec::new();
    for block in page.split("\n```hex ").skip(1) {
        let (what, rest) = block.split_once('\n').unwrap();
        let bytes = bytes(rest.split("\n```").next().unwrap());
        match what {
            "open" => reply = guest.open(bytes),
            "handle" => reply = guest.handle(bytes),
            "reply" => assert_eq!(bytes, reply, "after {told:?}"),
            other => panic!("a block called `{other}`"),
        }
        told.push(what);
    }
    assert_eq!(told, ["open", "reply", "handle", "reply"]);
}

/// Hex with blanks, and comments behind `;`.
fn bytes(block: &str) -> Vec<u8> {
    let lines = block.lines().map(|line| line.split(';').next().unwrap());
    let hex: Vec<char> = lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    assert_eq!(hex.len() % 2, 0);
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    hex.chunks(2).map(byte).collect()
}

//! Addresses, lengths and promises that are not true, modules that want more than they may: each ends with a message
//! and nothing worse, which the sanitizers would tell.

use std::fs;
use std::path::Path;

use super::support::{host, run, scratch};

/// A module whose `describe` gives `reply`, at an address and of a length that it may lie about.
struct Module {
    room: u32,
    pair: u32,
    address: u32,
    length: u32,
    reply: Vec<u8>,
    open: Vec<u8>,
}

/// `describe`'s reply with the fields that a host reads: schemas 1 to 1, version "x".
const DESCRIBE: &[u8] = &[0xa3, 0, 1, 1, 1, 4, 0x61, b'x'];

impl Module {
    fn honest() -> Self {
        let length = DESCRIBE.len() as u32;
        let open = vec![0x82, 0x01, 0x81, 0x01];
        Self { room: 4096, pair: 16, address: 32, length, reply: DESCRIBE.into(), open }
    }

    fn text(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("\\{b:02x}")).collect::<String>();
        let pair = [self.address.to_le_bytes(), self.length.to_le_bytes()].concat();
        let opened = [1024_u32.to_le_bytes(), (self.open.len() as u32).to_le_bytes()].concat();
        let name = "muster:agent/agent@1.0.0#";
        format!(
            r#"(module (memory (export "memory") 1)
                (data (i32.const 16) "{}") (data (i32.const 32) "{}")
                (data (i32.const 1000) "{}") (data (i32.const 1024) "{}")
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const {}))
                (func (export "{name}describe") (result i32) (i32.const {}))
                (func (export "{name}open") (param i32 i32) (result i32) (i32.const 1000))
                (func (export "cabi_post_{name}describe") (param i32))
                (func (export "cabi_post_{name}open") (param i32)))"#,
            hex(&pair),
            hex(&self.reply),
            hex(&opened),
            hex(&self.open),
            self.room as i32,
            self.pair as i32,
        )
    }
}

#[test]
fn in_its_addresses_lengths_and_promises() {
    let host = host();
    let say = |expected: &str, change: &dyn Fn(&mut Module)| {
        let mut module = Module::honest();
        change(&mut module);
        refused(host, &module.text(), expected);
    };
    say("open: the plugin refuses", &|_| ());

    say("describe: a reply outside of the memory", &|m| m.pair = 65_529);
    say("describe: a reply outside of the memory", &|m| m.pair = u32::MAX);
    say("describe: a reply outside of the memory", &|m| m.address = 65_536);
    say("describe: a reply outside of the memory", &|m| m.address = u32::MAX);
    say("describe: a reply outside of the memory", &|m| m.length = 65_505);
    say("describe: a reply outside of the memory", &|m| m.length = u32::MAX);
    say("open: room for a request outside of the memory", &|m| m.room = 65_536);
    say("open: room for a request outside of the memory", &|m| m.room = 65_535);
    say("open: room for a request outside of the memory", &|m| m.room = u32::MAX);

    say("ends too early", &|m| m.length = 0);
    say("ends too early", &|m| m.length = 3);
    say("an item of type 4 where one of 5", &|m| m.reply = vec![0x80; 8]);
    say("not CBOR of definite lengths", &|m| m.reply = vec![0xbf; 8]);
    say("ends too early", &|m| m.reply = vec![0xbb, 255, 255, 255, 255, 255, 255, 255]);
    for most in [0, 0x3f, 0x7f, 0x80, 0xff] {
        let promise = [&[0xa1, 9, 0x9b, most][..], &[255; 7]].concat();
        say("promises more than it brings", &|m| {
            m.length = promise.len() as u32;
            m.reply.clone_from(&promise);
        });
    }
    say("lacks a field", &|m| m.reply = vec![0xa1, 0, 1, 0, 0, 0, 0, 0]);
    say("another byte schema", &|m| m.reply = vec![0xa3, 0, 9, 1, 9, 4, 0x61, b'x']);

    // The drain of `open`: no outputs, none that ends it, two that do, an unknown kind, a command out of its power.
    for (open, expected) in [
        (&[0x82, 0, 0xa1, 0, 0x80][..], "does not end with its one deadline"),
        (&[0x82, 0, 0xa1, 0, 0x81, 0x82, 1, 0x81, 2], "does not end with its one deadline"),
        (
            &[0x82, 0, 0xa1, 0, 0x82, 0x82, 2, 0xf6, 0x82, 2, 0xf6],
            "does not end with its one deadline",
        ),
        (&[0x82, 0, 0xa1, 0, 0x81, 0x82, 3, 0xf6], "an unknown kind of output"),
        (&[0x82, 0, 0xa1, 0, 0x81, 0x82, 0, 0x82, 10, 0], "command 10 is not in this host's power"),
        (
            &[0x82, 0, 0xa1, 0, 0x81, 0x82, 0, 0x84, 5, 0, 3, 0x40],
            "command 5 is not in this host's power",
        ),
        (&[0x82, 0, 0xa1, 0, 0x81, 0x82, 2, 0xf6], "nothing is left to wait for"),
    ] {
        say(expected, &|m| m.open = open.into());
    }
    // A value to store that is longer than a request may be.
    let long =
        [&[0x82, 0, 0xa1, 0, 0x81, 0x82, 0, 0x84, 5, 0, 0, 0x59, 8, 0][..], &[0; 2048]].concat();
    say("longer than this host's buffer", &|m| m.open.clone_from(&long));
    // Seventeen commands in one drain, each of which wants an answer.
    let many = [&[0x82, 0, 0xa1, 0, 0x91][..], &[0x82, 0, 0x82, 1, 0].repeat(17)].concat();
    say("asks for too much at once", &|m| m.open.clone_from(&many));
}

#[test]
fn in_what_it_is() {
    let host = host();
    refused(host, r#"(module (import "env" "f" (func)) (memory 1))"#, "wants to import something");
    refused(host, "(module)", "has no memory of its own");
    refused(host, "(module (memory 1) (func $f) (start $f))", "wants to run at its start");
    refused(host, "(module (memory 1))", "describe: ");
    let takes_more =
        r#"(module (memory 1) (func (export "muster:agent/agent@1.0.0#describe") (param i32)))"#;
    refused(host, takes_more, "another signature");
    let gives_more = r#"(module (memory 1)
        (func (export "muster:agent/agent@1.0.0#describe") (result i64) (i64.const 0)))"#;
    refused(host, gives_more, "another signature");
    let traps = r#"(module (memory 1)
        (func (export "muster:agent/agent@1.0.0#describe") (result i32) unreachable))"#;
    refused(host, traps, "describe: [trap]");
    for bytes in [
        &b""[..],
        b"\0asm",
        b"\0asm\x02\0\0\0",
        b"\0asm\x01\0\0\0\x01\xff\xff\xff\xff\xff",
        b"not wasm",
    ] {
        let file = scratch("broken.wasm");
        fs::write(&file, bytes).unwrap();
        fails(host, &file, "");
    }
}

fn refused(host: &Path, module: &str, expected: &str) {
    let wasm = wat::parse_str(module).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), wasm).unwrap();
    fails(host, file.path(), expected);
}

fn fails(host: &Path, file: &Path, expected: &str) {
    let output = run(host, &[file.as_os_str()]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{expected}: {said}");
    assert!(
        said.starts_with("error: ") && said.contains(expected),
        "`{expected}` expected: {said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

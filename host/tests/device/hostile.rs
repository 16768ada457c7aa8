//! Plugins that have the right exports and say what they were told to say.

use std::path::Path;

use muster::cbor::{Encode, Encoder};
use muster::wire::names;
use muster::{Command, Connect, Instant, Output, Secret, Token};

/// A plugin whose functions answer with these bytes.
pub struct Plugin {
    /// To `open`.
    pub open: Vec<u8>,
    /// To each `handle`.
    pub handle: Vec<u8>,
    /// Runs first in `handle`.
    pub first: &'static str,
    /// The function that traps.
    pub traps: &'static str,
    /// More of the module.
    pub more: &'static str,
}

impl Plugin {
    pub fn saying(open: Vec<u8>, handle: Vec<u8>) -> Self {
        Self { open, handle, first: "", traps: "", more: "" }
    }

    /// Opens well and asks to be called at once, so that `handle` comes next.
    pub fn handling(handle: Vec<u8>) -> Self {
        Self::saying(reply(&[at_once()]), handle)
    }

    pub fn wasm(&self) -> Vec<u8> {
        // The answers as they are, from where each call copies them: the host wipes what it has read.
        const OPEN: usize = 4096;
        const HANDLE: usize = 65_536;
        let data = |at: usize, bytes: &[u8]| {
            let text: String = bytes.iter().map(|b| format!("\\{b:02x}")).collect();
            format!("(data (i32.const {at}) \"{text}\")\n")
        };
        let trap = |name: &str| if self.traps == name { "(unreachable)" } else { "" };
        let mut text = format!(
            r#"(module
                (memory (export "memory") 8)
                (global (export "__data_end") i32 (i32.const 1024))
                (global (export "__heap_base") i32 (i32.const 1024))
                (global $n (mut i64) (i64.const 0))
                (func $deep (result i32) (i32.add (call $deep) (i32.const 1)))
                (func $say (param $from i32) (param $length i32) (result i32)
                    (memory.copy (i32.const 131072) (local.get $from) (local.get $length))
                    (i32.store (i32.const 64) (i32.const 131072))
                    (i32.store (i32.const 68) (local.get $length))
                    (i32.const 64))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {} (i32.const 262144))
                {}{}{}"#,
            trap("cabi_realloc"),
            data(OPEN, &self.open),
            data(HANDLE, &self.handle),
            self.more,
        );
        for name in names::FUNCTIONS {
            let nothing = matches!(name, "describe" | "save");
            let params = if nothing { "" } else { "(param i32 i32)" };
            let body = match name {
                "open" => format!("(call $say (i32.const {OPEN}) (i32.const {}))", self.open.len()),
                "handle" => format!(
                    "{} (call $say (i32.const {HANDLE}) (i32.const {}))",
                    self.first,
                    self.handle.len()
                ),
                _ => "(unreachable)".to_owned(),
            };
            let post = format!("{}{}{name}", names::POST, names::PREFIX);
            text += &format!(
                "(func (export \"{}{name}\") {params} (result i32) {} {body})\n\
                 (func (export \"{post}\") (param i32) {})\n",
                names::PREFIX,
                trap(name),
                trap(&format!("post {name}")),
            );
        }
        wat::parse_str(text + ")").unwrap()
    }

    /// Puts it into a file.
    pub fn write(&self, dir: &Path) -> String {
        let path = dir.join("hostile.wasm");
        std::fs::write(&path, self.wasm()).unwrap();
        path.display().to_string()
    }
}

/// A reply with these outputs, as the schema has it.
pub fn reply(outputs: &[Output]) -> Vec<u8> {
    raw_reply(outputs.len() as u32, |e| outputs.iter().for_each(|output| output.encode(e)))
}

/// A reply with so many outputs of any shape.
pub fn raw_reply(count: u32, outputs: impl FnOnce(&mut Encoder)) -> Vec<u8> {
    let mut e = Encoder::new();
    e.variant(0, 1);
    e.map(2);
    e.number(0);
    e.array(count);
    outputs(&mut e);
    e.number(1);
    e.uint(0);
    e.into_bytes()
}

/// A reply with these commands, that wants to be called again at once.
pub fn asking(commands: &[Command]) -> Vec<u8> {
    let outputs = commands.iter().cloned().map(Output::Command).chain([at_once()]);
    reply(&outputs.collect::<Vec<_>>())
}

/// A reply with these commands, that waits for their answers.
pub fn waiting(commands: &[Command]) -> Vec<u8> {
    let outputs = commands.iter().cloned().map(Output::Command).chain([Output::Timeout(None)]);
    reply(&outputs.collect::<Vec<_>>())
}

pub fn at_once() -> Output {
    Output::Timeout(Some(Instant(0)))
}

pub fn connect(token: u32, url: &str, keep_alive: u16) -> Command {
    let (client_id, username, password) = ("c".into(), "u".into(), Secret::new("p"));
    let url = url.to_owned();
    Command::Connect(Token(token), Connect { url, client_id, username, password, keep_alive })
}

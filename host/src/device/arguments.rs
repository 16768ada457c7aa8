//! The command line of `muster-device`: what `muster device` and `muster plugin stage`, `slots` and `reset` take, read
//! without clap.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

use super::upgrade::{self, Command};
use super::{Args, Until, config, duration, platform};
use crate::exit::Exit;

const HELP: &str = "\
Bring one device to life: register, log in, heartbeat, update. This is the build for small devices: it runs plugins that
`muster plugin precompile` made for it.

Usage: muster-device --platform P --config FILE --plugin FILE.cwasm [options]
       muster-device stage FILE.cwasm --store DIR --config FILE [--wait DURATION]
       muster-device slots --store DIR [--json]
       muster-device reset --store DIR

  --platform P        the cloud: ucloud, cmcc, krtyun or alibaba
  --config FILE       settings: TOML with flat keys, or one JSON object; its [plugin] table pins whose plugins run
  --plugin FILE       the plugin that it came with; FILE.manifest and FILE.sig lie beside it
  --set KEY=VALUE     one setting; beats the file
  --local FILE        the line that `muster up --json` printed: where a local cloud is
  --store DIR         the device's folder [default: muster/devices/... in the user's data folder]
  --ca FILE           trust this CA (PEM), and no other, for TLS; beats the profile
  --cert FILE         the client certificate (PEM) for a broker that asks for one; beats the profile
  --key FILE          its private key (PEM)
  --until WHAT        end when this is reached: registered, ready or updated
  --for DURATION      end after this time, such as 90s, 10m or 2h
  --json              one JSON object a line
  --commands          take commands from stdin even if it is no terminal; type help for the list
  --service           run without a person: JSON log on stderr, health socket, systemd's notifications

  stage               give a signed plugin to a device; --wait until it is confirmed
  slots               show which plugin a device runs, and how the last upgrade ended
  reset               back to the plugin that it came with

  --help, --version";

const NEXT: &str = "`muster-device --help` lists the options";

/// Reads the command line, without the program's name, and does what it asks for.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Result<(), Exit> {
    match parse(words)? {
        Asked::Help => println!("{HELP}"),
        Asked::Version => println!("muster-device {}", env!("CARGO_PKG_VERSION")),
        Asked::Slots(command) => return upgrade::run(command),
        Asked::Device(args) => return super::run(*args),
    }
    Ok(())
}

/// What the command line asks for.
#[derive(Debug)]
enum Asked {
    Help,
    Version,
    Slots(Command),
    Device(Box<Args>),
}

/// A command, its options that take a value, and those that do not.
struct Known {
    name: &'static str,
    /// How many words without an option.
    words: usize,
    values: &'static [&'static str],
    flags: &'static [&'static str],
}

const DEVICE: Known = Known {
    name: "",
    words: 0,
    values: &[
        "platform", "config", "plugin", "set", "local", "store", "ca", "cert", "key", "until",
        "for",
    ],
    flags: &["json", "commands", "service"],
};
const OTHERS: [Known; 3] = [
    Known { name: "stage", words: 1, values: &["store", "config", "wait"], flags: &[] },
    Known { name: "slots", words: 0, values: &["store"], flags: &["json"] },
    Known { name: "reset", words: 0, values: &["store"], flags: &[] },
];

fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Asked, Exit> {
    let mut words: Vec<OsString> = words.into_iter().collect();
    let known = OTHERS.iter().find(|known| words.first().is_some_and(|word| word == known.name));
    if known.is_some() {
        words.remove(0);
    }
    let known = known.unwrap_or(&DEVICE);
    let mut parser = Parser::from_args(words);
    let wrong = |e: lexopt::Error| Exit::usage(e, NEXT);
    let mut given = Given::default();
    while let Some(arg) = parser.next().map_err(wrong)? {
        let name = match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Asked::Help),
            Arg::Short('V') | Arg::Long("version") => return Ok(Asked::Version),
            Arg::Value(word) if given.words.len() < known.words => {
                given.words.push(word);
                continue;
            }
            Arg::Long(name) => name.to_owned(),
            other => return Err(wrong(other.unexpected())),
        };
        if known.flags.contains(&name.as_str()) {
            given.flags.push(name);
        } else if known.values.contains(&name.as_str()) {
            let value = parser.value().map_err(wrong)?;
            given.take(name, value)?;
        } else {
            return Err(Exit::usage(format!("there is no option --{name}"), NEXT));
        }
    }
    match known.name {
        "stage" => Ok(Asked::Slots(Command::Stage {
            file: given.words.pop().ok_or_else(|| missing("FILE"))?.into(),
            store: given.needed("store")?,
            config: given.needed("config")?,
            wait: given.all("wait", duration)?.pop(),
        })),
        "slots" => {
            let json = given.has("json");
            Ok(Asked::Slots(Command::Slots { store: given.needed("store")?, json }))
        }
        "reset" => Ok(Asked::Slots(Command::Reset { store: given.needed("store")? })),
        _ => given.device().map(|args| Asked::Device(Box::new(args))),
    }
}

fn missing(what: &str) -> Exit {
    Exit::usage(format!("{what} is missing"), NEXT)
}

/// What was given.
#[derive(Default)]
struct Given {
    words: Vec<OsString>,
    values: Vec<(String, OsString)>,
    flags: Vec<String>,
}

impl Given {
    fn take(&mut self, name: String, value: OsString) -> Result<(), Exit> {
        if name != "set" && self.values.iter().any(|(known, _)| *known == name) {
            return Err(Exit::usage(format!("--{name} is given twice"), NEXT));
        }
        self.values.push((name, value));
        Ok(())
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|given| given == flag)
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.into())
    }

    fn needed(&self, name: &str) -> Result<PathBuf, Exit> {
        self.file(name).ok_or_else(|| missing(&format!("--{name}")))
    }

    /// All values of an option, each as `read` understands it.
    fn all<T, E: Display>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, Exit> {
        let values = self.values.iter().filter(|(known, _)| known == name);
        values
            .map(|(_, value)| {
                let text = value.clone().string();
                let text = text.map_err(|_| Exit::usage(format!("--{name} is no text"), NEXT))?;
                // Not the value: a setting may be a secret.
                read(&text).map_err(|why| Exit::usage(format!("--{name}: {why}"), NEXT))
            })
            .collect()
    }

    fn device(self) -> Result<Args, Exit> {
        let platform = self.all("platform", platform)?.pop();
        let (cert, key) = (self.file("cert"), self.file("key"));
        if cert.is_some() != key.is_some() {
            return Err(Exit::usage("--cert and --key go together", NEXT));
        }
        Ok(Args {
            platform: platform.ok_or_else(|| missing("--platform"))?,
            config: self.file("config"),
            set: self.all("set", config::pair)?,
            local: self.file("local"),
            store: self.file("store"),
            plugin: self.file("plugin"),
            ca: self.file("ca"),
            cert,
            key,
            until: self.all("until", until)?.pop(),
            limit: self.all("for", duration)?.pop(),
            json: self.has("json"),
            commands: self.has("commands"),
            service: self.service()?,
        })
    }

    fn service(&self) -> Result<bool, Exit> {
        let service = self.has("service");
        if service && (self.has("json") || self.has("commands")) {
            return Err(Exit::usage("--service goes with neither --json nor --commands", NEXT));
        }
        Ok(service)
    }
}

fn until(text: &str) -> Result<Until, &'static str> {
    let known = [Until::Registered, Until::Ready, Until::Updated];
    let found = known.into_iter().find(|until| until.word() == text);
    found.ok_or("has to be registered, ready or updated")
}

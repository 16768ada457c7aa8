//! What the device finds on the disk, and who else may read it.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::Path;

use muster::{StoreKey, Stored};
use serde_json::{Value, json};

use super::{Report, registered};
use crate::device::store;
use crate::exit::Exit;

/// A profile with a secret in it: the group may read it, for a service's user; nobody else.
pub(super) fn profile(path: &Path, holds_secret: bool, report: &mut Report) {
    if let Some(mode) = mode(path).filter(|mode| holds_secret && mode & 0o007 != 0) {
        report.warn(
            format!(
                "{} holds a secret, and everybody may read it (mode {mode:04o})",
                path.display()
            ),
            "chmod 600, or 640 and the group of the device's user",
        );
    }
}

/// A file for its owner alone.
pub(super) fn private(what: &str, path: &Path, report: &mut Report) {
    if let Some(mode) = mode(path).filter(|mode| mode & 0o077 != 0) {
        report.warn(
            format!("{what} {} is not for its owner alone (mode {mode:04o})", path.display()),
            "chmod 600",
        );
    }
}

/// What is stored; `None` if it cannot be used.
pub(super) fn folder(root: &Path, report: &mut Report) -> Option<Stored> {
    let mut fact = serde_json::Map::new();
    fact.insert("folder".into(), root.display().to_string().into());
    let found = fs::metadata(root);
    let stored = match found {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            fact.insert("is_there".into(), false.into());
            Some(Stored::empty())
        }
        Err(e) => report.take(Err(Exit::local(
            format!("cannot look at {}: {e}", root.display()),
            "choose another: --store DIR",
        ))),
        Ok(found) if !found.is_dir() => report.take(Err(Exit::local(
            format!("{} is no folder", root.display()),
            "choose another: --store DIR",
        ))),
        Ok(_) => {
            fact.insert("is_there".into(), true.into());
            if let Some(mode) = mode(root).filter(|mode| mode & 0o077 != 0) {
                report.warn(
                    format!("{} is not for its owner alone (mode {mode:04o})", root.display()),
                    "chmod 700",
                );
            }
            for key in StoreKey::ALL {
                private("the device's file", &root.join(format!("{}.json", key.name())), report);
            }
            private("the device's file", &root.join("credential.before.json"), report);
            fact.insert("held_by".into(), holder(root, report));
            report.take(store::load(root))
        }
    };
    if let Some(stored) = &stored {
        fact.insert("registered".into(), registered(stored).into());
    }
    report.fact("store", Value::Object(fact));
    stored
}

/// The process that drives the device now, if one does.
fn holder(root: &Path, report: &mut Report) -> Value {
    let path = root.join("lock");
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Value::Null,
        Err(e) => {
            let what = format!("cannot open {}: {e}", path.display());
            report.wrong(Exit::local(what, "run this as the user that the device runs as"));
            return Value::Null;
        }
    };
    // Given back at once, when the file is closed.
    match file.try_lock_shared() {
        Ok(()) | Err(TryLockError::Error(_)) => Value::Null,
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            let pid: Option<u32> = text.trim().parse().ok();
            report.warn(
                format!("the device in {} is running: another would not start", root.display()),
                "end it before another is started; checking does not disturb it",
            );
            json!(pid.unwrap_or(0))
        }
    }
}

#[cfg(not(unix))]
pub(super) fn socket(_: &Path, _: &mut Report) {}

#[cfg(unix)]
pub(super) fn socket(path: &Path, report: &mut Report) {
    if std::os::unix::net::SocketAddr::from_pathname(path).is_err() {
        report.wrong(Exit::usage(
            format!("{} is too long for a socket's path", path.display()),
            "set a shorter one as `socket` under [service] in the profile",
        ));
    }
    if let Ok(found) = fs::symlink_metadata(path) {
        use std::os::unix::fs::FileTypeExt;
        if !found.file_type().is_socket() {
            report.wrong(Exit::local(
                format!("{} is there and is no socket", path.display()),
                "move it away, or set another `socket` under [service] in the profile",
            ));
        }
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).ok().map(|found| found.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

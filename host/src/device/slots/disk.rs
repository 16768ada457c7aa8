//! Files and folders, each durable before the next.
//!
//! Every change passes [`cut`], so that the tests can end the world before each of them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::store;
use crate::plugin::package::{Package, manifest_path};

/// The right to change what is staged.
#[derive(Debug)]
pub(crate) struct Locked {
    dir: PathBuf,
    _file: File,
}

/// Where a package waits.
pub(super) fn staged(dir: &Path) -> PathBuf {
    dir.join("staged")
}

fn in_making(dir: &Path) -> PathBuf {
    dir.join(".staged.tmp")
}

fn given_up(dir: &Path) -> PathBuf {
    dir.join(".staged.old")
}

/// Nothing if another process holds it.
pub(super) fn try_lock(dir: &Path) -> io::Result<Option<Locked>> {
    let (dir, file) = lock_file(dir)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Locked { dir, _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Waits for the others, who take milliseconds.
pub(super) fn wait_lock(dir: &Path) -> io::Result<Locked> {
    let (dir, file) = lock_file(dir)?;
    file.lock()?;
    Ok(Locked { dir, _file: file })
}

fn lock_file(dir: &Path) -> io::Result<(PathBuf, File)> {
    store::make(dir)?;
    let mut options = OpenOptions::new();
    let file = store::private(options.read(true).write(true).create(true).truncate(false))
        .open(dir.join("lock"))?;
    Ok((dir.to_owned(), file))
}

/// Puts a package up. It is there in one step; one that was there before goes.
pub(super) fn stage(lock: &Locked, wasm: &str, package: &Package) -> io::Result<()> {
    let dir = &lock.dir;
    clean(dir)?;
    let making = in_making(dir);
    write(&making, wasm, package)?;
    let staged = staged(dir);
    if staged.exists() {
        rename(&staged, &given_up(dir))?;
    }
    rename(&making, &staged)?;
    store::sync_dir(dir)?;
    remove_dir(&given_up(dir))
}

/// It is taken, or refused.
pub(super) fn unstage(lock: &Locked) -> io::Result<()> {
    let staged = staged(&lock.dir);
    if staged.exists() {
        remove_dir(&given_up(&lock.dir))?;
        // Gone in one step: half of a package is no news.
        rename(&staged, &given_up(&lock.dir))?;
        store::sync_dir(&lock.dir)?;
    }
    clean(&lock.dir)
}

/// Whether two folders hold the same package: the manifest names the module's digest.
pub(super) fn is_same(one: &Path, other: &Path, wasm: &str) -> bool {
    let manifest = |folder: &Path| std::fs::read(manifest_path(&folder.join(wasm))).ok();
    manifest(one).is_some_and(|bytes| manifest(other) == Some(bytes))
}

/// Removes what was left in the middle. Under the lock.
pub(super) fn clean(dir: &Path) -> io::Result<()> {
    remove_dir(&in_making(dir))?;
    remove_dir(&given_up(dir))
}

/// Fills a slot that nobody mentions.
pub(super) fn fill(dir: &Path, slot: &Path, wasm: &str, package: &Package) -> io::Result<()> {
    remove_dir(slot)?;
    write(slot, wasm, package)?;
    store::sync_dir(dir)
}

fn write(folder: &Path, wasm: &str, package: &Package) -> io::Result<()> {
    cut()?;
    store::make(folder)?;
    for (ending, bytes) in package.files() {
        let mut options = OpenOptions::new();
        let mut file = store::private(options.write(true).create_new(true))
            .open(folder.join(format!("{wasm}{ending}")))?;
        torn(&mut file, bytes)?;
        file.sync_all()?;
    }
    store::sync_dir(folder)
}

/// Replaces a file in one step.
pub(super) fn replace(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    store::make(dir)?;
    let temporary = dir.join(format!(".{name}.tmp"));
    let mut options = OpenOptions::new();
    let mut file =
        store::private(options.write(true).create(true).truncate(true)).open(&temporary)?;
    torn(&mut file, bytes)?;
    file.sync_all()?;
    drop(file);
    rename(&temporary, &dir.join(name))?;
    store::sync_dir(dir)
}

pub(super) fn remove_dir(path: &Path) -> io::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    cut()?;
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn rename(from: &Path, to: &Path) -> io::Result<()> {
    cut()?;
    std::fs::rename(from, to)
}

/// Writes all, or, where the world ends here, a part.
fn torn(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    if let Err(end) = cut() {
        file.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default())?;
        return Err(end);
    }
    file.write_all(bytes)
}

#[cfg(not(test))]
fn cut() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(super) use cutting::{cut, left, live_for};

#[cfg(test)]
mod cutting {
    use std::cell::Cell;
    use std::io;

    thread_local! {
        static LEFT: Cell<u32> = const { Cell::new(u32::MAX) };
    }

    /// So many changes, then none.
    pub(in super::super) fn live_for(changes: u32) {
        LEFT.set(changes);
    }

    pub(in super::super) fn left() -> u32 {
        LEFT.get()
    }

    pub(in super::super) fn cut() -> io::Result<()> {
        match LEFT.get().checked_sub(1) {
            Some(left) => {
                LEFT.set(left);
                Ok(())
            }
            None => Err(io::Error::other("the power is gone")),
        }
    }
}

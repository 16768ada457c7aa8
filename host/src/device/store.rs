//! The device's folder: what it keeps, one file a value, replaced in one step.
//!
//! A value is written to a temporary file in the same folder, synced, renamed over the old one, and the folder is
//! synced. Only then is it said to be stored. A process that is killed at any moment leaves the old value or the new.
//!
//! A credential that served is not lost even to a plugin that overwrites it: `credential.before.json` keeps it, until
//! a person has it erased.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use muster::{Identity, SecretBytes, StoreKey, Stored};

use crate::exit::Exit;

/// How often, and how far apart, a lock is asked for: `check` holds it for an instant, a device for as long as it lives.
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// No value comes near this.
pub(super) const MAX_VALUE: u64 = 64 * 1024;

/// One device's folder, locked for this process.
#[derive(Debug)]
pub(super) struct DeviceDir {
    root: PathBuf,
    /// Whether the device was ready with the credential that is there now.
    served: AtomicBool,
    _lock: File,
}

impl DeviceDir {
    /// Opens the folder, making it if it is not there.
    pub(super) fn open(root: PathBuf) -> Result<Self, Exit> {
        let at = root.display();
        make(&root).map_err(|e| {
            Exit::local(format!("cannot make the folder {at}: {e}"), "choose another: --store DIR")
        })?;
        let lock = lock(&root)?;
        for key in StoreKey::ALL {
            // Left by a process that ended in the middle: never acknowledged, so nobody counts on it.
            remove(&temporary(&root, key)).map_err(|e| {
                Exit::local(format!("cannot write in {at}: {e}"), "choose another: --store DIR")
            })?;
        }
        Ok(Self { root, served: AtomicBool::new(false), _lock: lock })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn file(&self, key: StoreKey) -> PathBuf {
        file(&self.root, key)
    }

    /// Reads everything. A file that cannot be what we wrote is an error; it stays as it is.
    pub(super) fn load(&self) -> Result<Stored, Exit> {
        load(&self.root)
    }

    /// Replaces a value; durable when it returns.
    pub(super) fn put(&self, key: StoreKey, value: &SecretBytes) -> io::Result<()> {
        if key == StoreKey::Credential {
            self.keep_former(value)?;
        }
        replace(&self.file(key), &temporary(&self.root, key), value.expose())
    }

    /// The cloud takes the device for what the stored credential says.
    pub(super) fn serves(&self) {
        self.served.store(true, Ordering::Relaxed);
    }

    /// The credential before this one, if there was another.
    pub(super) fn former(&self) -> PathBuf {
        self.root.join("credential.before.json")
    }

    /// One that never served does not drive out one that perhaps did.
    fn keep_former(&self, value: &SecretBytes) -> io::Result<()> {
        let served = self.served.swap(false, Ordering::Relaxed);
        let former = match read(&self.file(StoreKey::Credential)) {
            Ok(bytes) => SecretBytes::new(bytes),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(e),
        };
        if former == *value {
            self.served.store(served, Ordering::Relaxed);
            return Ok(());
        }
        if served || !self.former().exists() {
            replace(&self.former(), &temporary(&self.root, StoreKey::Credential), former.expose())?;
        }
        Ok(())
    }

    /// Removes a value; durable when it returns.
    pub(super) fn erase(&self, key: StoreKey) -> io::Result<()> {
        if key == StoreKey::Credential {
            // A person wants the device to forget.
            remove(&self.former())?;
        }
        remove(&self.file(key))?;
        sync_dir(&self.root)
    }
}

/// What is stored in this folder, which may be another process's.
pub(super) fn load(root: &Path) -> Result<Stored, Exit> {
    let mut stored = Stored::empty();
    for key in StoreKey::ALL {
        let path = file(root, key);
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => {
                let next = "make the file readable, or choose another folder: --store DIR";
                return Err(Exit::local(format!("cannot read {}: {e}", path.display()), next));
            }
        };
        if serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err() {
            return Err(damaged(&path, key));
        }
        stored.insert(key, SecretBytes::new(bytes));
    }
    Ok(stored)
}

fn file(root: &Path, key: StoreKey) -> PathBuf {
    root.join(format!("{}.json", key.name()))
}

/// A stored file that cannot be read, and what to do about it. Never deleted here: it may hold the only copy of a
/// secret.
pub(super) fn damaged(path: &Path, key: StoreKey) -> Exit {
    let next = match key {
        StoreKey::Credential => {
            "it was left as it is: restore it from a copy (credential.before.json beside it, if it is there, is the \
             one before), or move it away and have the cloud's operator reset the device"
        }
        _ => "it was left as it is: move it away and start again",
    };
    Exit::local(
        format!("{} is damaged: it holds no value that this device stored", path.display()),
        next,
    )
}

/// `<data>/muster/devices/<platform>/<product>/<device>`.
pub(super) fn default_root(identity: &Identity) -> Result<PathBuf, Exit> {
    Ok(below(&devices()?, identity))
}

/// `<data>/muster/devices`.
pub(super) fn devices() -> Result<PathBuf, Exit> {
    let data = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| {
            std::env::home_dir().filter(|p| p.is_absolute()).map(|home| home.join(".local/share"))
        })
        .ok_or_else(|| Exit::local("there is no home folder", "give a folder: --store DIR"))?;
    Ok(data.join("muster/devices"))
}

/// `<dir>/<platform>/<product>/<device>`.
pub(super) fn below(dir: &Path, identity: &Identity) -> PathBuf {
    dir.join(identity.platform.as_str())
        .join(component(&identity.product))
        .join(component(&identity.device))
}

/// A name as one component of a path: letters, digits and `- _ @` as they are, and `.` except in front.
fn component(name: &str) -> String {
    let mut out = String::new();
    for (at, byte) in name.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || b"-_@".contains(&byte) || (byte == b'.' && at > 0) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    if out.is_empty() { "%".into() } else { out }
}

/// Makes the folder and its parents for the owner alone, and syncs their names.
pub(super) fn make(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
        make(parent)?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(dir) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
        other => other?,
    }
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent),
        _ => sync_dir(Path::new(".")),
    }
}

/// Writes `bytes` to `temporary` and renames it to `path`, each durable before the next.
pub(super) fn replace(path: &Path, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file =
        private(OpenOptions::new().write(true).create(true).truncate(true)).open(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(temporary, path)?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// Mode 0600 from the moment a file exists.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// A rename is durable once its folder is.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    // Windows has no such thing for folders.
    #[cfg(unix)]
    File::open(dir)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn temporary(root: &Path, key: StoreKey) -> PathBuf {
    root.join(format!(".{}.tmp", key.name()))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_VALUE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_VALUE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is far too large"));
    }
    Ok(bytes)
}

/// Two processes that drive one device would each void the other's session, and race for its secret.
fn lock(root: &Path) -> Result<File, Exit> {
    let path = root.join("lock");
    let at = path.display();
    let next = "choose another folder: --store DIR";
    let mut file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
        .open(&path)
        .map_err(|e| Exit::local(format!("cannot open {at}: {e}"), next))?;
    let mut tries = 1;
    let locked = loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if tries < TRIES => std::thread::sleep(BETWEEN_TRIES),
            other => break other,
        }
        tries += 1;
    };
    match locked {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let holder = match holder.trim() {
                "" => String::new(),
                pid => format!(" (process {pid})"),
            };
            return Err(Exit::local(
                format!("another muster{holder} drives the device in {}", root.display()),
                "end it first, or start another device: --set … or --store DIR",
            ));
        }
        Err(TryLockError::Error(e)) => {
            return Err(Exit::local(format!("cannot lock {at}: {e}"), next));
        }
    }
    // For the message above only: the lock itself ends with the process, however that ends.
    let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster::PlatformName;

    fn value(text: &str) -> SecretBytes {
        SecretBytes::new(text.as_bytes().to_vec())
    }

    fn open(dir: &tempfile::TempDir) -> DeviceDir {
        DeviceDir::open(dir.path().join("a/b")).unwrap()
    }

    #[test]
    fn what_is_put_is_loaded_and_what_is_erased_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        store.put(StoreKey::Credential, &value("{\"a\":1}")).unwrap();
        store.put(StoreKey::Credential, &value("{\"a\":2}")).unwrap();
        store.put(StoreKey::Schedule, &value("{}")).unwrap();
        store.erase(StoreKey::Schedule).unwrap();
        store.erase(StoreKey::Firmware).unwrap();
        drop(store);
        let stored = open(&dir).load().unwrap();
        assert_eq!(stored.get(StoreKey::Credential), Some(&value("{\"a\":2}")));
        assert_eq!(stored.iter().count(), 1);
    }

    #[test]
    fn a_credential_that_served_outlives_those_that_did_not() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        let former = || std::fs::read_to_string(store.former()).ok();
        let put = |text: &str| store.put(StoreKey::Credential, &value(text)).unwrap();
        put("\"first\"");
        put("\"first\"");
        assert_eq!(former(), None);
        store.serves();
        for junk in ["{}", "[]", "0"] {
            put(junk);
            assert_eq!(former().as_deref(), Some("\"first\""));
        }
        // Another life of another hostile plugin.
        drop(store);
        let store = open(&dir);
        let former = || std::fs::read_to_string(store.former()).ok();
        store.put(StoreKey::Credential, &value("1")).unwrap();
        assert_eq!(former().as_deref(), Some("\"first\""));
        // The cloud issued another, and it works.
        store.put(StoreKey::Credential, &value("\"second\"")).unwrap();
        store.serves();
        store.put(StoreKey::Credential, &value("\"second, proven\"")).unwrap();
        assert_eq!(former().as_deref(), Some("\"second\""));
        assert_eq!(store.load().unwrap().iter().count(), 1);
        store.erase(StoreKey::Credential).unwrap();
        assert_eq!(former(), None);
    }

    #[cfg(unix)]
    #[test]
    fn files_and_folders_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        store.put(StoreKey::Credential, &value("{}")).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&store.file(StoreKey::Credential)), 0o600);
        assert_eq!(mode(store.root()), 0o700);
        assert_eq!(mode(&dir.path().join("a")), 0o700);
    }

    #[test]
    fn a_second_process_is_kept_out() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(&dir);
        let error = DeviceDir::open(dir.path().join("a/b")).unwrap_err();
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        drop(first);
        open(&dir);
    }

    /// `muster device check` asks whether somebody else does, with a lock that others may share.
    #[test]
    fn who_only_looks_keeps_nobody_out() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(&dir));
        let glance = File::open(dir.path().join("a/b/lock")).unwrap();
        glance.try_lock_shared().unwrap();
        let gone = std::thread::spawn(move || {
            std::thread::sleep(2 * BETWEEN_TRIES);
            drop(glance);
        });
        open(&dir);
        gone.join().unwrap();
    }

    #[test]
    fn a_damaged_file_is_an_error_and_stays() {
        for damage in ["", "{\"secret\":\"abc", "\u{0}\u{0}"] {
            let dir = tempfile::tempdir().unwrap();
            let store = open(&dir);
            let path = store.file(StoreKey::Credential);
            std::fs::write(&path, damage).unwrap();
            let error = store.load().unwrap_err().to_string();
            assert!(error.contains("credential.json is damaged"), "{error}");
            assert!(!error.contains("abc"));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), damage);
        }
    }

    #[test]
    fn a_temporary_file_left_behind_is_removed_and_never_read() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(&dir));
        let left = dir.path().join("a/b/.credential.tmp");
        std::fs::write(&left, "{}").unwrap();
        let store = open(&dir);
        assert!(!left.exists());
        assert_eq!(store.load().unwrap(), Stored::empty());
    }

    #[test]
    fn names_become_components_that_stay_where_they_belong() {
        for (name, out) in [
            ("112233445566", "112233445566"),
            ("a.b", "a.b"),
            ("..", "%2E."),
            (".", "%2E"),
            ("a/b", "a%2Fb"),
            ("", "%"),
            ("设备", "%E8%AE%BE%E5%A4%87"),
        ] {
            assert_eq!(component(name), out);
        }
        let identity = Identity {
            platform: PlatformName::Krtyun,
            product: "../x".into(),
            device: "d:1".into(),
        };
        let root = default_root(&identity).unwrap();
        assert!(root.ends_with("muster/devices/krtyun/%2E.%2Fx/d%3A1"), "{root:?}");
    }
}

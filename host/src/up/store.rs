//! What the clouds keep, on stable storage.
//!
//! One SQLite database (write-ahead log, `synchronous=FULL`, so that a commit is on the disk when it returns), one
//! table of opaque values, and one lock on the folder. SQLite, because people can look into it with their own tools.
//! The values are the clouds' own CBOR; this module never looks inside. Everything here is private to the owner of
//! the files, because device secrets are among the values.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use muster::PlatformName;
use muster::cloud::{Change, Cloud};
use rusqlite::{Connection, OptionalExtension, params};

use crate::exit::Exit;

/// The layout of the database; another number means that another version of Muster wrote it.
const SCHEMA: i64 = 1;
/// `PRAGMA application_id`: "mstr".
const APPLICATION: i64 = 0x6d73_7472;

/// The folder that one `muster up` owns while it runs.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    /// Locked for as long as it is open; the system lets go of it even after `kill -9`.
    _lock: File,
}

impl DataDir {
    /// Takes the folder, making it where it is missing. Refused while another process has it.
    pub(crate) fn take(path: &Path) -> Result<Self, Exit> {
        make_private_dir(path)?;
        let lock_path = path.join("lock");
        let mut lock = private_file(&lock_path)
            .map_err(|e| unusable(path, format!("cannot open {}: {e}", lock_path.display())))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let _ = lock.read_to_string(&mut owner);
                let owner = owner
                    .trim()
                    .parse::<u32>()
                    .map_or(String::new(), |pid| format!(" (process {pid})"));
                return Err(Exit::local(
                    format!(
                        "another `muster up`{owner} is using the data folder {}",
                        path.display()
                    ),
                    "use that one, stop it first, or give this one a folder of its own with --data DIR",
                ));
            }
            Err(TryLockError::Error(e)) => {
                return Err(unusable(path, format!("cannot lock {}: {e}", lock_path.display())));
            }
        }
        // Only for the message above; nothing depends on it.
        let _ = lock.set_len(0).and_then(|()| lock.rewind());
        let _ = writeln!(lock, "{}", std::process::id());
        Ok(Self { path: path.to_path_buf(), _lock: lock })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// `$XDG_DATA_HOME/muster/cloud`, or what stands for it.
pub(crate) fn default_dir() -> Result<PathBuf, Exit> {
    let base = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".local/share")))
        .ok_or_else(|| {
            Exit::local(
                "there is no home folder to keep the clouds in",
                "say where with --data DIR",
            )
        })?;
    Ok(base.join("muster/cloud"))
}

/// The database.
#[derive(Debug)]
pub(crate) struct Store {
    file: PathBuf,
    db: Connection,
}

impl Store {
    /// Opens the database of a folder, making it where it is missing.
    pub(crate) fn open(dir: &DataDir) -> Result<Self, Exit> {
        let file = dir.path().join("cloud.db");
        // SQLite gives its side files the rights of the database.
        private_file(&file)
            .map_err(|e| unusable(dir.path(), format!("cannot open {}: {e}", file.display())))?;
        let db = connect(&file).map_err(|e| damaged(&file, &e))?;
        let store = Self { file, db };
        store.prepare().map_err(|e| damaged(&store.file, &e))?;
        let schema = store.pragma("user_version").map_err(|e| damaged(&store.file, &e))?;
        if schema != SCHEMA || store.pragma("application_id").ok() != Some(APPLICATION) {
            return Err(Exit::local(
                format!(
                    "{} is not a database of this version of Muster (schema {schema}, expected {SCHEMA})",
                    store.file.display()
                ),
                "run the version that wrote it, or start afresh with another folder: --data DIR",
            ));
        }
        sync_dir(dir.path())
            .map_err(|e| unusable(dir.path(), format!("cannot sync the folder: {e}")))?;
        Ok(store)
    }

    /// Creates the tables in an empty database. Leaves any other as it is.
    fn prepare(&self) -> rusqlite::Result<()> {
        let empty: bool =
            self.db.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
        if !empty {
            return Ok(());
        }
        self.db.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             CREATE TABLE kept (
                 platform TEXT NOT NULL, tbl TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
                 PRIMARY KEY (platform, tbl, key)
             ) STRICT, WITHOUT ROWID;
             CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
             PRAGMA user_version = {SCHEMA};
             PRAGMA application_id = {APPLICATION};
             COMMIT;"
        ))
    }

    fn pragma(&self, name: &str) -> rusqlite::Result<i64> {
        self.db.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
    }

    /// Closes the database and opens it again: after an error, what counts is what a restart would find.
    pub(crate) fn reopen(&mut self) -> rusqlite::Result<()> {
        self.db = connect(&self.file)?;
        Ok(())
    }

    /// Puts all changes on stable storage, or none of them.
    pub(crate) fn commit(
        &mut self,
        changes: &[Change],
        meta: &[(&str, &str)],
    ) -> rusqlite::Result<()> {
        let transaction = self.db.transaction()?;
        {
            let mut put = transaction.prepare_cached(
                "INSERT OR REPLACE INTO kept (platform, tbl, key, value) VALUES (?1, ?2, ?3, ?4)",
            )?;
            let mut delete = transaction
                .prepare_cached("DELETE FROM kept WHERE platform = ?1 AND tbl = ?2 AND key = ?3")?;
            for change in changes {
                let platform = change.platform.as_str();
                match &change.value {
                    Some(value) => put.execute(params![
                        platform,
                        change.table,
                        change.key.as_str(),
                        value.expose()
                    ])?,
                    None => delete.execute(params![platform, change.table, change.key.as_str()])?,
                };
            }
            for (key, value) in meta {
                transaction.execute(
                    "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
                    [key, value],
                )?;
            }
        }
        transaction.commit()
    }

    /// A note of the host's own.
    pub(crate) fn meta(&self, key: &str) -> rusqlite::Result<Option<String>> {
        self.db
            .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
            .optional()
    }

    /// Whether nothing is kept for a platform.
    pub(crate) fn is_empty(&self, platform: PlatformName) -> rusqlite::Result<bool> {
        self.db.query_row(
            "SELECT NOT EXISTS (SELECT 1 FROM kept WHERE platform = ?1)",
            [platform.as_str()],
            |row| row.get(0),
        )
    }

    /// Hands everything that is kept back to the clouds.
    pub(crate) fn load(&self, cloud: &mut Cloud) -> Result<usize, Exit> {
        let failed = |e: &rusqlite::Error| damaged(&self.file, e);
        let mut all = self
            .db
            .prepare("SELECT platform, tbl, key, value FROM kept")
            .map_err(|e| failed(&e))?;
        let mut rows = all.query([]).map_err(|e| failed(&e))?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(|e| failed(&e))? {
            let read = || -> rusqlite::Result<(String, String, String)> {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            };
            let (platform, table, key) = read().map_err(|e| failed(&e))?;
            let value = row.get_ref(3).map_err(|e| failed(&e))?;
            let loaded = match (platform.parse::<PlatformName>(), value.as_blob()) {
                (Ok(name), Ok(value)) => cloud.load(name, &table, &key, value).is_ok(),
                _ => false,
            };
            if !loaded {
                return Err(Exit::local(
                    format!(
                        "{}: the kept value {platform}/{table}/{key} cannot be read",
                        self.file.display()
                    ),
                    "run the version that wrote it, restore a copy, or start afresh with another folder: --data DIR",
                ));
            }
            count += 1;
        }
        Ok(count)
    }

    /// Moves the log into the database, so that a copy of the one file is whole. Best effort, at a clean end.
    pub(crate) fn tidy(&self) {
        let _ = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(file)?;
    // Somebody may be reading with a tool of their own.
    db.busy_timeout(Duration::from_secs(5))?;
    db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    db.execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")?;
    Ok(db)
}

fn damaged(file: &Path, error: &rusqlite::Error) -> Exit {
    Exit::local(
        format!("the clouds' database {} cannot be used: {error}", file.display()),
        "free some space or repair the file with sqlite3, or start afresh with another folder: --data DIR",
    )
}

fn unusable(dir: &Path, message: String) -> Exit {
    Exit::local(
        message,
        format!("check the rights of {}, or choose another folder: --data DIR", dir.display()),
    )
}

/// Makes a folder (and its parents) that only the owner may enter.
pub(crate) fn make_private_dir(path: &Path) -> Result<(), Exit> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|e| unusable(path, format!("cannot make the folder {}: {e}", path.display())))
}

/// Opens a file for reading and writing that only the owner may read.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a file as a whole or not at all.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, bytes)?;
    std::fs::rename(&temporary, path)
}

/// Makes new names in a folder last.
pub(crate) fn sync_dir(path: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

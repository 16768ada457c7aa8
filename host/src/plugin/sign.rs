//! `muster plugin keygen`, `public-key`, `manifest`, `sign`, `verify`: what a maker of plugins does.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use muster::SecretBytes;

use super::package::{
    Manifest, Package, PackageError, PublicKey, SigningKey, Wanted, manifest_path, refused,
    signature_path,
};
use super::{Engine, PluginError};
use crate::exit::Exit;

/// A maker's commands.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Maker {
    /// Make a key pair: the private key into a file for its owner alone, the public one to standard output.
    Keygen {
        /// The private key's file (PEM). It must not exist.
        file: PathBuf,
    },
    /// Show the public key of a private one: what a profile pins.
    PublicKey {
        /// The private key's file (PEM).
        file: PathBuf,
    },
    /// Write FILE.manifest, to be signed elsewhere: 64 bytes of Ed25519 over it belong into FILE.sig.
    Manifest {
        #[command(flatten)]
        release: Release,
        /// The public key that it will be signed with.
        #[arg(long, value_name = "KEY", value_parser = PublicKey::parse)]
        public_key: PublicKey,
    },
    /// Write FILE.manifest and FILE.sig.
    Sign {
        #[command(flatten)]
        release: Release,
        /// The private key's file (PEM).
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Check FILE with FILE.manifest and FILE.sig as a device would.
    Verify {
        /// The plugin.
        file: PathBuf,
        /// A public key that the device pins; may be given several times.
        #[arg(long = "key", value_name = "KEY", required = true, value_parser = PublicKey::parse)]
        keys: Vec<PublicKey>,
        /// The plugin's name in the device's profile.
        #[arg(long, default_value = "muster")]
        name: String,
        /// The lowest counter that the device takes.
        #[arg(long, default_value_t = 1)]
        counter: u64,
    },
}

/// What a maker says about a plugin.
#[derive(Debug, clap::Args)]
pub(super) struct Release {
    /// The plugin.
    file: PathBuf,
    /// For people: a semantic version such as 1.4.0.
    #[arg(long = "release", value_name = "VERSION")]
    version: String,
    /// For devices: higher than that of every release before.
    #[arg(long)]
    counter: u64,
    /// Which plugin it is.
    #[arg(long, default_value = "muster")]
    name: String,
}

pub(super) fn run(engine: &Engine, command: Maker) -> Result<(), Exit> {
    match command {
        Maker::Keygen { file } => keygen(&file),
        Maker::PublicKey { file } => {
            println!("{}", read_key(&file)?.public());
            Ok(())
        }
        Maker::Manifest { release, public_key } => {
            let (_, manifest) = manifest(engine, &release, &public_key)?;
            let path = manifest_path(&release.file);
            write(&path, &manifest.to_bytes())?;
            println!("{}: sign its bytes into {}", path.display(), signature(&release.file));
            Ok(())
        }
        Maker::Sign { release, key } => {
            let key = read_key(&key)?;
            let (wasm, manifest) = manifest(engine, &release, &key.public())?;
            for (ending, bytes) in Package::sign(wasm, &manifest, &key).files() {
                // The module stays as it is.
                if !ending.is_empty() {
                    let mut path = release.file.clone().into_os_string();
                    path.push(ending);
                    write(Path::new(&path), bytes)?;
                }
            }
            println!(
                "{} {} (counter {}) is signed: ship {} with {} and {}",
                manifest.name,
                manifest.version,
                manifest.counter,
                release.file.display(),
                manifest_path(&release.file).display(),
                signature(&release.file)
            );
            Ok(())
        }
        Maker::Verify { file, keys, name, counter } => {
            let package = Package::read(&file).map_err(refused)?;
            let verified = package
                .verify(&keys, &Wanted { name, counter, machine_code: true })
                .map_err(refused)?;
            let (_, describe) = verified.load(engine).map_err(refused)?;
            let Manifest { name, version, counter, size, .. } = verified.manifest();
            println!(
                "{name} {version} (counter {counter}): {size} bytes, for {}; signature, digest and contract are right",
                describe.platforms.join(", ")
            );
            Ok(())
        }
    }
}

fn keygen(file: &Path) -> Result<(), Exit> {
    let at = file.display();
    let pem = SigningKey::generate()
        .map_err(|e| Exit::local(format!("the system gives no random numbers: {e}"), ""))?;
    let public = SigningKey::from_pem(&pem).map_err(|e| Exit::local(e, ""))?.public();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut to = options.open(file).map_err(|e| {
        if e.kind() == ErrorKind::AlreadyExists {
            let next = "choose another file: devices that pin the old key would take nothing more";
            return Exit::local(format!("{at} exists"), next);
        }
        Exit::local(format!("cannot write {at}: {e}"), "choose another file")
    })?;
    to.write_all(pem.expose()).and_then(|()| to.sync_all()).map_err(|e| {
        Exit::local(format!("cannot write {at}: {e}"), "remove what is there of it")
    })?;
    println!("{public}");
    eprintln!(
        "The private key is in {at}: keep it where no device and no build server can read it, and keep a copy.\nThe \
         line above is the public key. Pin it in the profile of every device:\n\n  [plugin]\n  keys = [\"{public}\"]"
    );
    Ok(())
}

fn manifest(
    engine: &Engine,
    release: &Release,
    key: &PublicKey,
) -> Result<(Vec<u8>, Manifest), Exit> {
    let file = &release.file;
    let wasm = fs::read(file)
        .map_err(|e| Exit::local(format!("cannot read {}: {e}", file.display()), ""))?;
    let plugin = |e: PluginError| refused(PackageError::Plugin(e));
    let describe = engine
        .load(&wasm)
        .and_then(|plugin| plugin.instantiate())
        .and_then(|mut instance| instance.describe())
        .map_err(plugin)?;
    let Release { name, version, counter, .. } = release;
    let manifest = Manifest::new(name, version, *counter, &wasm, &describe, key)
        .map_err(|e| Exit::usage(e, "see `muster plugin sign --help`"))?;
    Ok((wasm, manifest))
}

pub(super) fn read_key(file: &Path) -> Result<SigningKey, Exit> {
    let at = file.display();
    let next = "give the file of a private key: `muster plugin keygen` makes one";
    let pem = fs::read(file).map_err(|e| Exit::local(format!("cannot read {at}: {e}"), next))?;
    SigningKey::from_pem(&SecretBytes::new(pem))
        .map_err(|e| Exit::usage(format!("{at}: {e}"), next))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Exit> {
    fs::write(path, bytes)
        .map_err(|e| Exit::local(format!("cannot write {}: {e}", path.display()), ""))
}

fn signature(file: &Path) -> String {
    signature_path(file).display().to_string()
}

//! The component passes the public tooling: jco makes JavaScript of it, which the host in Node drives.

use std::fs;
use std::path::Path;

use muster_host::plugin::embedded_bytes;

use super::support::{hold, installed, scratch, stdout, workspace};

#[test]
fn with_the_recorded_bytes() {
    let component = scratch("muster.component.wasm");
    let encoded = crate::component::encode(embedded_bytes(), &workspace("wit")).unwrap();
    fs::write(&component, encoded).unwrap();
    let out = scratch("jco");
    fs::create_dir_all(&out).unwrap();
    // What jco writes are modules, whatever their names say.
    fs::write(out.join("package.json"), r#"{"type":"module"}"#).unwrap();
    let jco = installed("MUSTER_RUNTIMES_JCO").join("@bytecodealliance/jco/src/jco.js");
    let node = Path::new("node");
    let options = ["--instantiation", "sync", "--no-nodejs-compat", "--quiet", "--out-dir"];
    let mut args = vec![jco.as_os_str(), "transpile".as_ref(), component.as_os_str()];
    args.extend(options.iter().map(AsRef::<std::ffi::OsStr>::as_ref));
    args.push(out.as_os_str());
    stdout(node, &args);

    let host = workspace("examples/embed/node/host.mjs");
    let module = out.join("muster.component.js");
    hold(node, node, &[host.as_os_str(), "jco".as_ref(), module.as_os_str()]);
}

//! `examples/embed/node` with the core module, in the `WebAssembly` that Node brings.

use std::path::Path;

use super::support::{hold, plugin, workspace};

#[test]
fn with_the_recorded_bytes() {
    let host = workspace("examples/embed/node/host.mjs");
    let node = Path::new("node");
    hold(node, node, &[host.as_os_str(), "core".as_ref(), plugin().as_os_str()]);
}

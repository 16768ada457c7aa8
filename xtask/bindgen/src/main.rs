//! `xtask-bindgen IN.wasm OUT_DIR`: JavaScript and TypeScript bindings for the browser's module.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1).map(PathBuf::from);
    let (Some(module), Some(out), None) = (args.next(), args.next(), args.next()) else {
        eprintln!("error: usage: xtask-bindgen IN.wasm OUT_DIR");
        return ExitCode::from(2);
    };
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .typescript(true)
        // Names are for debuggers; the linker's own are of no use once the module is optimised.
        .remove_name_section(true)
        .remove_producers_section(true)
        // The bindings themselves know where the module lies: `new URL("muster_bg.wasm", import.meta.url)`.
        .omit_default_module_path(false);
    match bindgen.web(true).and_then(|bindgen| bindgen.generate(&out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

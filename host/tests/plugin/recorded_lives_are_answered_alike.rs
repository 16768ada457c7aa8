//! Every executor answers the recorded calls of `tests/conformance/` with the bytes that are written there.

use std::fs;
use std::path::Path;

use super::executors::{self, Executor};
use super::transcript::{self, Entry};

#[test]
fn in_every_executor() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance");
    for name in ["ucloud", "cmcc", "krtyun", "alibaba", "refusals"] {
        let file = folder.join(name).with_extension("txt");
        let entries = transcript::read(&fs::read_to_string(&file).unwrap());
        let all = executors::all().len();
        for at in 0..all {
            let (who, mut executor) = executors::all().swap_remove(at);
            for (i, entry) in entries.iter().enumerate() {
                match entry {
                    Entry::New => executor = executors::all().swap_remove(at).1,
                    Entry::Call { function, request, reply } => {
                        let got = call(executor.as_mut(), function, request);
                        assert!(got == *reply, "{who} differs in {name}, call {i}, `{function}`");
                    }
                }
            }
        }
    }
}

fn call(executor: &mut dyn Executor, function: &str, request: &[u8]) -> Vec<u8> {
    match function {
        "describe" => executor.describe(),
        "open" => executor.open(request),
        "handle" => executor.handle(request),
        "save" => executor.save(),
        "restore" => executor.restore(request),
        other => panic!("no function `{other}`"),
    }
}

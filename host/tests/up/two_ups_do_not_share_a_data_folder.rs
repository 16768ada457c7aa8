use crate::support::{Up, muster};

#[test]
fn two_ups_do_not_share_a_data_folder() {
    let data = tempfile::tempdir().unwrap();
    let first = Up::start(data.path());
    let second = muster().args(["up", "--port", "0", "--data"]).arg(data.path()).output().unwrap();
    assert_eq!(second.status.code(), Some(4));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains(&format!("(process {})", first.child.id())), "{said}");
    assert!(said.contains("next:") && said.contains("--data"), "{said}");

    // The lock goes with the process, however it ends.
    first.kill();
    Up::start(data.path());
}

#[test]
fn a_port_that_is_taken_is_named() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = Up::start(a.path());
    let port = first.http().rsplit(':').next().unwrap();
    let second = muster().args(["up", "--port", port, "--data"]).arg(b.path()).output().unwrap();
    assert_eq!(second.status.code(), Some(4));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains(port) && said.contains("--port"), "{said}");
}

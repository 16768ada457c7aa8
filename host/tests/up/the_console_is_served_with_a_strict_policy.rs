use std::path::Path;

use crate::support::{Reply, Up, muster, request};

const PAGE: &str = "<!doctype html><title>console</title>";

/// `muster up` with a small console of its own.
fn start(data: &Path, console: &Path) -> Up {
    std::fs::create_dir_all(console.join("assets")).unwrap();
    std::fs::write(console.join("index.html"), PAGE).unwrap();
    std::fs::write(console.join("assets/a-1.js"), "1").unwrap();
    std::fs::write(console.join("assets/a-1.wasm"), "\0asm").unwrap();
    std::fs::write(console.join("icon.svg"), "<svg/>").unwrap();
    Up::spawn(
        muster()
            .args(["up", "--port", "0", "--json", "--data"])
            .arg(data)
            .arg("--console")
            .arg(console),
    )
}

fn ask(up: &Up, method: &str, path: &str, more: &str) -> Reply {
    let at = up.http();
    request(at, &format!("{method} {path} HTTP/1.1\r\nHost: {at}\r\n{more}\r\n"), b"")
}

#[test]
fn every_file_has_its_type_its_policy_and_its_time_to_live() {
    let (data, console) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let up = start(data.path(), console.path());
    let forever = "public, max-age=31536000, immutable";
    for (path, kind, keep) in [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/console/assets/a-1.js", "text/javascript; charset=utf-8", forever),
        ("/console/assets/a-1.wasm", "application/wasm", forever),
        ("/console/icon.svg", "image/svg+xml", "no-cache"),
    ] {
        let answer = ask(&up, "GET", path, "");
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        assert_eq!(answer.header("cache-control"), Some(keep), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert_eq!(
            policy,
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
             font-src 'self'; worker-src 'self'; connect-src 'self' ws: wss: http: https:; manifest-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "{path}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path} {name}");
        }
        assert!(!answer.head.to_ascii_lowercase().contains("access-control"), "{}", answer.head);

        let head = ask(&up, "HEAD", path, "");
        assert_eq!(head.status, 200);
        assert_eq!(head.header("content-length"), answer.header("content-length"), "{path}");
        assert!(head.text().is_empty());

        let tag = answer.header("etag").unwrap();
        let again = ask(&up, "GET", path, &format!("If-None-Match: {tag}\r\n"));
        assert_eq!((again.status, again.text()), (304, String::new()), "{path}");
    }
    // A page that was built anew is a new page.
    let before = ask(&up, "GET", "/", "").header("etag").unwrap().to_owned();
    std::fs::write(console.path().join("index.html"), "<!doctype html>new").unwrap();
    let after = ask(&up, "GET", "/", &format!("If-None-Match: {before}\r\n"));
    assert_eq!((after.status, after.text()), (200, "<!doctype html>new".into()));
}

#[test]
fn nothing_outside_the_console_is_reached_through_it() {
    let (data, console) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let inner = console.path().join("dist");
    let up = start(data.path(), &inner);
    std::fs::write(console.path().join("secret"), "secret").unwrap();
    for path in [
        "/console/../secret",
        "/console/assets/../../secret",
        "/console/%2e%2e/secret",
        "/console/..%2fsecret",
        &format!("/console//{}", console.path().join("secret").display()),
        "/console/assets",
        "/console/none.js",
    ] {
        let answer = ask(&up, "GET", path, "");
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        assert!(!answer.text().contains("secret"), "{path}");
    }
    assert_eq!(ask(&up, "POST", "/console/assets/a-1.js", "Content-Length: 0\r\n").status, 405);
    for path in ["/console", "/console/", "/console/index.html"] {
        let answer = ask(&up, "GET", path, "");
        assert_eq!((answer.status, answer.header("location")), (302, Some("/")), "{path}");
    }
}

#[test]
fn only_operators_get_it() {
    let (data, console) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let up = start(data.path(), console.path());
    for path in ["/", "/start", "/console/assets/a-1.js"] {
        let stranger =
            request(up.http(), &format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n"), b"");
        assert_eq!(stranger.status, 403, "{path}");
        assert_eq!(ask(&up, "GET", path, "Origin: https://evil.example\r\n").status, 403, "{path}");
        assert_eq!(ask(&up, "GET", path, "").status, 200, "{path}");
    }
}

#[test]
fn a_page_at_localhost_is_sent_to_the_address() {
    let (data, console) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let up = start(data.path(), console.path());
    let port = up.http().rsplit(':').next().unwrap();
    let ask = |path: &str| {
        request(up.http(), &format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), b"")
    };
    let answer = ask("/?lang=zh");
    assert_eq!(answer.status, 302);
    assert_eq!(answer.header("location").unwrap(), format!("http://127.0.0.1:{port}/?lang=zh"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(ask("/console/assets/a-1.js").status, 200);
    assert_eq!(ask("/start").status, 200);
}

#[test]
fn a_folder_without_a_page_is_refused_at_the_start() {
    let (data, console) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let output = muster()
        .args(["up", "--port", "0", "--json", "--data"])
        .arg(data.path())
        .arg("--console")
        .arg(console.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("index.html") && said.contains("next:"), "{said}");
}

/// The binary under test has the console in it if there was one when it was built.
#[test]
fn the_built_in_console_travels_compressed_and_without_it_the_start_page_says_how_to_get_it() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../www/dist/index.html");
    let page = ask(&up, "GET", "/", "");
    assert_eq!(page.status, 200);
    if !built.is_file() {
        assert!(page.text().contains("cargo xtask up"), "{}", page.text());
        assert!(!ask(&up, "GET", "/start", "").text().contains("href=\"/\""));
        return;
    }
    assert_eq!(page.text(), std::fs::read_to_string(&built).unwrap());
    assert!(ask(&up, "GET", "/start", "").text().contains("href=\"/\""));
    let text = page.text();
    let script = text.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(script.starts_with("/console/assets/"), "{script}");
    let plain = ask(&up, "GET", script, "");
    assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
    let small = ask(&up, "GET", script, "Accept-Encoding: gzip, deflate, br\r\n");
    assert_eq!((small.status, small.header("content-encoding")), (200, Some("gzip")));
    assert_eq!(small.header("vary"), Some("Accept-Encoding"));
    let length = |reply: &Reply| reply.header("content-length").unwrap().parse::<usize>().unwrap();
    assert!(length(&small) < length(&plain));
    assert_ne!(small.header("etag"), plain.header("etag"));
}

use super::page::{Page, ask_token, open, refusal, run, up};
use super::server::{Server, answer};
use crate::support::request;

#[test]
fn only_pages_of_this_server_use_it() {
    let server = Server::new(|_| answer("200 OK", "", "for the page"));
    let data = tempfile::tempdir().unwrap();
    let up = up(&data, &["--relay-allow", &server.at()]);
    let Page { at, token } = &Page::of(&up);
    let port = at.rsplit(':').next().unwrap();
    let send = |host: &str, origin: &str, more: &str, token: &str| {
        let head = format!(
            "POST /relay/http HTTP/1.1\r\nHost: {host}\r\n{origin}{more}X-Relay-Token: {token}\r\n\
             X-Relay-To: http://{}/\r\nX-Relay-Method: GET\r\nX-Relay-Headers: []\r\nContent-Length: 0\r\n\r\n",
            server.at()
        );
        request(at, &head, b"")
    };
    let own = format!("Origin: http://{at}\r\n");
    let same = "Sec-Fetch-Site: same-origin\r\n";
    assert_eq!(send(at, &own, same, token).text(), "for the page");
    let mut zeroes = token.clone();
    zeroes.replace_range(..1, if token.starts_with('0') { "1" } else { "0" });
    for (what, reply, kind) in [
        ("no Origin", send(at, "", same, token), "page"),
        ("a foreign Origin", send(at, "Origin: http://evil.example\r\n", "", token), "page"),
        ("another port", send(at, "Origin: http://127.0.0.1:1\r\n", "", token), "page"),
        ("a page without origin", send(at, "Origin: null\r\n", "", token), "page"),
        ("two Origins", send(at, &own.repeat(2), "", token), "page"),
        (
            "a rebound name",
            send(
                &format!("evil.example:{port}"),
                &format!("Origin: http://evil.example:{port}\r\n"),
                "",
                token,
            ),
            "page",
        ),
        ("another site", send(at, &own, "Sec-Fetch-Site: cross-site\r\n", token), "page"),
        ("the same site", send(at, &own, "Sec-Fetch-Site: same-site\r\n", token), "page"),
        ("no token", send(at, &own, same, ""), "token"),
        ("a wrong token", send(at, &own, same, &zeroes), "token"),
        ("half a token", send(at, &own, same, &token[..32]), "token"),
    ] {
        assert_eq!(reply.status, 403, "{what}: {}", reply.text());
        let (found, said) = refusal(&reply);
        assert_eq!(found, kind, "{what}");
        assert!(!said.to_string().contains(token.as_str()), "{what}");
    }
    assert_eq!(server.heard().len(), 1);
    // A page of another origin cannot even ask whether it may.
    let ask = "OPTIONS /relay/http HTTP/1.1\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n";
    let reply = request(at, &format!("{ask}Host: {at}\r\n\r\n"), b"");
    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[test]
fn a_websocket_is_no_way_round() {
    let server = Server::new(|_| answer("200 OK", "", ""));
    let data = tempfile::tempdir().unwrap();
    let up = up(&data, &["--relay-allow", &server.at()]);
    let page = Page::of(&up);
    let (at, own) = (&page.at, format!("http://{}", page.at));
    let to = format!("mqtt://{}", server.at());
    let good = format!("mqtt, muster-relay.{}", page.token);
    run(async {
        for origin in [None, Some("http://evil.example"), Some("http://127.0.0.1:1"), Some("null")]
        {
            assert_eq!(open(at, &to, origin, &good).await.err(), Some(403), "{origin:?}");
        }
        assert_eq!(
            open(at, &to, Some(&own), &format!("muster-relay.{}", page.token)).await.err(),
            Some(400)
        );
        // What a page of this server may read, and another one never gets to.
        for protocols in [
            "mqtt".to_owned(),
            "mqtt, muster-relay.".into(),
            format!("mqtt, muster-relay.{}0", page.token),
            format!("mqtt, {}", page.token),
        ] {
            let mut socket = open(at, &to, Some(&own), &protocols).await.unwrap();
            let (error, code) = socket.no_way().await;
            assert_eq!((error["kind"].as_str(), code), (Some("token"), 4403), "{protocols}");
        }
        assert_eq!(open(at, &to, Some(&own), &good).await.unwrap().reached().await, server.at());
    });
}

#[test]
fn the_token_is_for_pages_of_this_server() {
    let data = tempfile::tempdir().unwrap();
    let up = up(&data, &[]);
    let at = up.http();
    for more in [
        "",
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        &format!("Origin: http://{at}\r\nSec-Fetch-Site: cross-site\r\n"),
    ] {
        let reply = ask_token(at, more);
        assert_eq!(reply.status, 403, "{more}: {}", reply.text());
        assert!(reply.json().get("token").is_none());
    }
    // A form of a stranger's, and a link.
    let form = format!(
        "POST /api/relay/token HTTP/1.1\r\nHost: {at}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n"
    );
    assert_eq!(request(at, &form, b"{}").status, 415);
    let get = request(at, &format!("GET /api/relay/token HTTP/1.1\r\nHost: {at}\r\n\r\n"), b"");
    assert_eq!(get.status, 405);
    // Another start, another token.
    let (one, data) = (Page::of(&up).token, tempfile::tempdir().unwrap());
    assert_ne!(one, Page::of(&super::page::up(&data, &[])).token);
    assert!(!up.get("/api/relay").to_string().contains(&one));
}

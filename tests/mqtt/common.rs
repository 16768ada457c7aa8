use muster::cloud::{ConnectPacket, Packet};
use muster::mqtt::{ClientEvent, ClientSession, ServerEvent, ServerLimits, ServerSession};
use muster::{Connect, Instant, Publish, QoS, Secret, SecretBytes, Subscribe};

pub(crate) const START: Instant = Instant(1_000);

pub(crate) fn at(millis: u64) -> Instant {
    Instant(START.0 + millis)
}

pub(crate) fn connect() -> Connect {
    Connect {
        url: "mqtt://127.0.0.1".into(),
        client_id: "70ly1tvowt696r15.112233445566".into(),
        username: "70ly1tvowt696r15|112233445566|2".into(),
        password: Secret::new("sqx0cltqba402z7z"),
        keep_alive: 240,
    }
}

pub(crate) fn subscribe(topic: &str) -> Subscribe {
    Subscribe { topic: topic.into(), qos: QoS::AtLeastOnce }
}

pub(crate) fn publish(topic: &str, qos: QoS, payload: &str) -> Publish {
    Publish { topic: topic.into(), qos, payload: bytes(payload) }
}

pub(crate) fn bytes(text: &str) -> SecretBytes {
    SecretBytes::new(text.as_bytes().to_vec())
}

pub(crate) fn transmit(client: &mut ClientSession) -> Vec<u8> {
    std::iter::from_fn(|| client.poll_transmit()).flatten().collect()
}

pub(crate) fn answers(server: &mut ServerSession) -> Vec<u8> {
    std::iter::from_fn(|| server.poll_transmit()).flatten().collect()
}

pub(crate) fn client_events(client: &mut ClientSession) -> Vec<ClientEvent> {
    std::iter::from_fn(|| client.poll_event()).collect()
}

pub(crate) fn server_events(server: &mut ServerSession) -> Vec<ServerEvent> {
    std::iter::from_fn(|| server.poll_event()).collect()
}

pub(crate) fn server() -> ServerSession {
    ServerSession::new(ServerLimits::default(), START)
}

/// A client whose CONNECT was accepted.
pub(crate) fn connected() -> ClientSession {
    let mut client = ClientSession::new(&connect(), START);
    transmit(&mut client);
    client.receive(&[0x20, 2, 0, 0], START);
    assert_eq!(client_events(&mut client), [ClientEvent::Connected { session_present: false }]);
    client
}

/// A server that accepted CONNECT.
pub(crate) fn accepted() -> ServerSession {
    accepted_with(ServerLimits::default())
}

pub(crate) fn accepted_with(limits: ServerLimits) -> ServerSession {
    let mut server = ServerSession::new(limits, START);
    let bytes = transmit(&mut ClientSession::new(&connect(), START));
    server.receive(&bytes, START);
    assert!(matches!(server.poll_event(), Some(ServerEvent::Connect(_))));
    server.connack(0, Some(std::time::Duration::from_secs(360)));
    assert_eq!(answers(&mut server), [0x20, 2, 0, 0]);
    server
}

/// What an event is, without secrets and without types that cannot be compared.
pub(crate) fn describe(event: &ServerEvent) -> String {
    match event {
        ServerEvent::Connect(connect) => describe_connect(connect),
        ServerEvent::Packet(Packet::Publish { packet_id, topic, qos, retain, payload }) => format!(
            "PUBLISH {packet_id:?} {topic} q{qos} r{retain} {}",
            String::from_utf8_lossy(payload.expose())
        ),
        ServerEvent::Packet(other) => format!("{other:?}"),
        ServerEvent::Lost(loss) => format!("{loss:?}"),
    }
}

pub(crate) fn describe_connect(c: &ConnectPacket) -> String {
    format!(
        "CONNECT level {} {} {:?} {:?} keep {} clean {} will {}",
        c.protocol_level,
        c.client_id,
        c.username,
        c.password.as_ref().map(|p| p.expose().to_owned()),
        c.keep_alive,
        c.clean_session,
        c.will
    )
}

//! The cloud by itself: operators, apps and devices are inputs of the test's making.

use std::collections::BTreeMap;

use muster::alibaba::credentials::{Device, SecureMode, SignMethod, Style, login_connect};
use muster::alibaba::sign::{Algorithm, JsonPost, json_post_headers};
use muster::cloud::{
    Action, Cloud, CloudConfig, CloudInput, CloudOutput, ConnectPacket, ConnectionId, HttpRequest,
    Operation, OperationError, OperationResult, Packet, RequestId,
};
use muster::http::{Response, header};
use muster::{Now, PlatformName, Secret, SecretBytes};
use serde_json::Value;

pub(crate) const PK: &str = "a1X2bEnP82z";
pub(crate) const PRODUCT_SECRET: &str = "ffFnFlKQW3HYjjPR";
pub(crate) const DN: &str = "example1";
pub(crate) const DEVICE_SECRET: &str = "ga7XA6KdlEeiPXQPpRbAjOZXwG8ydgSe";
pub(crate) const GATEWAY_PK: &str = "a1gateway01";
pub(crate) const APP_KEY: &str = "23456789";
pub(crate) const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
/// Alice's iotToken: the one in the vendor's captured request.
pub(crate) const ALICE: &str = "4f1b3d6a9c2e4b70a6d5f8e7c1b2a394";
pub(crate) const BOB: &str = "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0";
pub(crate) const TOKEN: &str = "0A1B2C3D4E5F60718293A4B5C6D7E8F9";

pub(crate) struct Platform {
    pub(crate) cloud: Cloud,
    pub(crate) now: Now,
    pub(crate) kept: BTreeMap<(&'static str, String), SecretBytes>,
    pub(crate) homes: BTreeMap<&'static str, String>,
    next: u64,
}

impl Platform {
    /// A published Wi-Fi product with one device, a gateway product with one gateway, two owners and an AppKey.
    pub(crate) fn new() -> Self {
        let now = Now::new(1_000, muster::sim::EPOCH_MS);
        let mut platform = Self {
            cloud: Cloud::new(CloudConfig::default(), [9; 32], now),
            now,
            kept: BTreeMap::new(),
            homes: BTreeMap::new(),
            next: 1,
        };
        platform.product(PK, &[("published", "true"), ("DynamicRegister", "true")]);
        platform.product(GATEWAY_PK, &[("published", "true"), ("nodeType", "1"), ("netType", "7")]);
        platform.import(PK, &format!("device_name,device_secret\n{DN},{DEVICE_SECRET}\n"));
        platform
            .import(GATEWAY_PK, &format!("DeviceName,DeviceSecret\ngateway1,{DEVICE_SECRET}\n"));
        platform.switch(&format!("app_secret.{APP_KEY}"), APP_SECRET);
        for (identity, token) in [("alice", ALICE), ("bob", BOB)] {
            let owner = Action::CreateOwner { identity: identity.into() };
            let OperationResult::Owners { items } = platform.operate(owner).unwrap() else {
                panic!("no owner")
            };
            platform.homes.insert(identity, items[0].home_id.clone());
            platform.switch(&format!("iot_token.{identity}"), token);
        }
        platform
    }

    pub(crate) fn give(&mut self, input: CloudInput) -> Vec<CloudOutput> {
        self.cloud.handle_input(input, self.now);
        let mut outputs = Vec::new();
        let mut replied = false;
        loop {
            match self.cloud.poll_output() {
                CloudOutput::Timeout(_) => return outputs,
                CloudOutput::Persist(change) => {
                    assert!(!replied, "a change behind a reply");
                    match change.value {
                        Some(value) => self.kept.insert((change.table, change.key.into()), value),
                        None => self.kept.remove(&(change.table, change.key.into())),
                    };
                }
                output => {
                    replied = true;
                    outputs.push(output);
                }
            }
        }
    }

    pub(crate) fn operate(&mut self, action: Action) -> Result<OperationResult, OperationError> {
        let operation = Operation { platform: PlatformName::Alibaba, action };
        let outputs = self.give(CloudInput::Operate { id: RequestId(0), operation });
        let result = outputs.into_iter().find_map(|output| match output {
            CloudOutput::Operated { result, .. } => Some(result),
            _ => None,
        });
        result.unwrap()
    }

    fn product(&mut self, id: &str, switches: &[(&str, &str)]) {
        let switches = switches.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        let secret = Some(PRODUCT_SECRET.to_owned());
        let (name, id) = ("lamp".to_owned(), Some(id.to_owned()));
        self.operate(Action::CreateProduct { name, id, secret, switches }).unwrap();
    }

    pub(crate) fn import(&mut self, product: &str, csv: &str) {
        let (product, csv) = (product.to_owned(), csv.to_owned());
        self.operate(Action::ImportDevices { product, csv }).unwrap();
    }

    pub(crate) fn switch(&mut self, name: &str, value: &str) {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.operate(Action::Switch { product: None, name, value }).unwrap();
    }

    pub(crate) fn switch_product(&mut self, name: &str, value: &str) {
        let (product, name, value) = (Some(PK.to_owned()), name.to_owned(), value.to_owned());
        self.operate(Action::Switch { product, name, value }).unwrap();
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        let (mono, unix) = (self.now.mono.0, self.now.unix.unwrap().0);
        self.now = Now::new(mono + seconds * 1_000, unix + seconds * 1_000);
    }

    // The app's side

    pub(crate) fn http(&mut self, request: HttpRequest) -> Response {
        let outputs = self.give(CloudInput::Request { id: RequestId(1), request });
        let responses: Vec<Response> = outputs
            .into_iter()
            .filter_map(|output| match output {
                CloudOutput::Response { response, .. } => Some(response),
                _ => None,
            })
            .collect();
        let [response] = responses.try_into().unwrap();
        response
    }

    /// A correctly signed request.
    pub(crate) fn signed(&mut self, path: &str, body: &str) -> HttpRequest {
        self.next += 1;
        let headers = json_post_headers(&JsonPost {
            path,
            body: body.as_bytes(),
            app_key: APP_KEY,
            app_secret: &Secret::from(APP_SECRET),
            algorithm: Algorithm::HmacSha256,
            nonce: &format!("nonce-{}", self.next),
            timestamp_ms: self.now.unix.map(|unix| unix.0),
            date: None,
            stage: None,
        });
        let (method, path) = ("POST".to_owned(), path.to_owned());
        HttpRequest { method, path, query: vec![], headers, body: body.into() }
    }

    /// The answer to a body that the gateway lets pass.
    pub(crate) fn body(&mut self, path: &str, body: &str) -> Value {
        let request = self.signed(path, body);
        let response = self.http(request);
        assert_eq!(response.status, 200, "{:?}", header(&response.headers, "X-Ca-Error-Message"));
        assert!(header(&response.headers, "X-Ca-Request-Id").is_some());
        serde_json::from_slice(&response.body).unwrap()
    }

    /// A call with an owner's token.
    pub(crate) fn call(&mut self, token: &str, path: &str, params: &str) -> Value {
        let body = format!(
            r#"{{"id":"7","version":"1.0","request":{{"apiVer":"1.0.0","iotToken":"{token}"}},"params":{params}}}"#
        );
        let answer = self.body(path, &body);
        assert_eq!(answer["id"], "7");
        answer
    }

    /// The code of such a call.
    pub(crate) fn code(&mut self, token: &str, path: &str, params: &str) -> i64 {
        self.call(token, path, params)["code"].as_i64().unwrap()
    }

    // The device's side

    pub(crate) fn connect(&mut self, connection: u64, connect: ConnectPacket) -> Vec<CloudOutput> {
        let (connection, platform) = (ConnectionId(connection), PlatformName::Alibaba);
        self.give(CloudInput::Connect { connection, platform, connect })
    }

    /// Logs the device in that this connection's number belongs to from now on.
    pub(crate) fn log_in(&mut self, connection: u64, pk: &str, dn: &str) {
        let device = Device { product_key: pk, device_name: dn };
        let credential = login_connect(
            Style::Muster,
            SignMethod::HmacSha256,
            device,
            &Secret::from(DEVICE_SECRET),
            SecureMode::Tcp,
            "1",
        );
        let packet =
            connect(&credential.client_id, &credential.username, credential.password.expose());
        assert_eq!(connack(&self.connect(connection, packet)), 0);
    }

    pub(crate) fn packet(&mut self, connection: u64, packet: Packet) -> Vec<CloudOutput> {
        self.give(CloudInput::Packet { connection: ConnectionId(connection), packet })
    }

    pub(crate) fn publish(
        &mut self,
        connection: u64,
        topic: &str,
        payload: &str,
    ) -> Vec<CloudOutput> {
        let payload = SecretBytes::new(payload.into());
        let topic = topic.to_owned();
        let packet = Packet::Publish { packet_id: Some(1), topic, qos: 1, retain: false, payload };
        self.packet(connection, packet)
    }

    /// Publishes under `/sys/pk/dn/` and returns the reply.
    pub(crate) fn alink(
        &mut self,
        connection: u64,
        device: &str,
        suffix: &str,
        params: &str,
    ) -> Value {
        let body = format!(r#"{{"id":"1","version":"1.0","params":{params},"method":"x"}}"#);
        let outputs = self.publish(connection, &format!("/sys/{device}/{suffix}"), &body);
        let replies = published(&outputs);
        let (topic, reply) = &replies[0];
        assert_eq!(*topic, format!("/sys/{device}/{suffix}_reply"));
        reply.clone()
    }

    pub(crate) fn report_token(&mut self, connection: u64, token: &str) {
        let params = format!(r#"{{"token":"{token}"}}"#);
        let reply =
            self.alink(connection, &format!("{PK}/{DN}"), "thing/awss/enrollee/match", &params);
        assert_eq!(reply["code"], 200);
    }

    pub(crate) fn lose(&mut self, connection: u64) {
        self.give(CloudInput::Lost { connection: ConnectionId(connection) });
    }

    /// What a cloud makes of everything kept, and of nothing else.
    pub(crate) fn restart(&mut self) {
        let mut cloud = Cloud::new(CloudConfig::default(), [11; 32], self.now);
        for ((table, key), value) in &self.kept {
            cloud.load(PlatformName::Alibaba, table, key, value.expose()).unwrap();
        }
        self.cloud = cloud;
    }

    /// Binds the device to alice by token; returns its iotId.
    pub(crate) fn bound(&mut self) -> String {
        self.log_in(1, PK, DN);
        self.report_token(1, TOKEN);
        let home = self.homes["alice"].clone();
        let params = bind_params(&home, TOKEN);
        let answer = self.call(ALICE, "/awss/token/user/bind", &params);
        answer["data"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn bind_params(home: &str, token: &str) -> String {
    format!(r#"{{"homeId":"{home}","productKey":"{PK}","deviceName":"{DN}","token":"{token}"}}"#)
}

pub(crate) fn connect(client_id: &str, username: &str, password: &str) -> ConnectPacket {
    ConnectPacket {
        protocol_level: 4,
        client_id: client_id.into(),
        username: Some(username.into()),
        password: Some(Secret::from(password)),
        keep_alive: 60,
        clean_session: true,
        will: false,
    }
}

pub(crate) fn connack(outputs: &[CloudOutput]) -> u8 {
    let code = outputs.iter().find_map(|output| match output {
        CloudOutput::ConnAck { code, .. } => Some(*code),
        _ => None,
    });
    code.unwrap()
}

/// What was published to devices, as topic and JSON.
pub(crate) fn published(outputs: &[CloudOutput]) -> Vec<(String, Value)> {
    let published = outputs.iter().filter_map(|output| match output {
        CloudOutput::Publish { topic, payload, .. } => {
            Some((topic.clone(), serde_json::from_slice(payload.expose()).unwrap()))
        }
        _ => None,
    });
    published.collect()
}

pub(crate) fn closed(outputs: &[CloudOutput]) -> bool {
    outputs.iter().any(|output| matches!(output, CloudOutput::Close { .. }))
}

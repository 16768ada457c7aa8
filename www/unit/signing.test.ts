import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Entry, HttpMessage, MqttPacket } from "../src/muster/types";
import { signedBy } from "../src/state/signing";

const SENT = 1_700_000_000_500;
const connect = (packet: Partial<MqttPacket>): Entry => ({ seq: 1, at: 0, unix: SENT, kind: "mqtt", direction: "up", packet: { type: "CONNECT", size: 9, masked: 1, ...packet } });
const http = (message: Partial<HttpMessage>, direction: "up" | "down" = "up", unix = SENT): Entry => ({ seq: 2, at: 0, unix, kind: "http", direction, message: { headers: [], size: 0, masked: 0, ...message } });
const login = (fields: string) => signedBy(connect({ client_id: `pk.dn|${fields}|`, username: "dn&pk" }), "alibaba");

describe("a login", () => {
  it("is signed over the names and the time of the device's clock", () => {
    expect(login("securemode=3,signmethod=hmacsha256,timestamp=1700000000000")).toEqual({
      key: "device_secret",
      method: "hmacsha256",
      string: "clientIdpk.dndeviceNamednproductKeypktimestamp1700000000000",
      clock: { kind: "wall", unix: 1_700_000_000_000, drift: 500, field: "client_id" },
      nonce: null,
      server: null,
    });
  });

  it("without a clock sends the year 2050, or no time at all", () => {
    expect(login("securemode=3,signmethod=hmacsha1,timestamp=2524608000000")?.clock).toEqual({ kind: "fixed" });
    expect(login("securemode=3,signmethod=hmacsha1")).toMatchObject({ string: "clientIdpk.dndeviceNamednproductKeypk", clock: { kind: "none" } });
  });

  it("of an SDK that counts seconds is understood, and a clock that is ahead", () => {
    expect(login("timestamp=1700000100,signmethod=hmacsha256")?.clock).toMatchObject({ unix: 1_700_000_100_000, drift: -99_500 });
  });

  it("with a token is not signed, nor is one of another cloud, nor what is no login", () => {
    expect(login("authType=connwl,securemode=-2")).toBeNull();
    expect(signedBy(connect({ client_id: "a|b|", username: "c|1" }), "ucloud")).toBeNull();
    expect(signedBy(connect({ client_id: "plain", username: "dn&pk" }), "alibaba")).toBeNull();
    expect(signedBy({ ...connect({}), kind: "misuse", message: "" } as Entry, "alibaba")).toBeNull();
  });
});

describe("a registration", () => {
  it("is signed with the product's secret over a random number, and no time", () => {
    const expected = { key: "product_secret", method: "hmacsha256", string: "deviceNamednproductKeypkrandom567", clock: { kind: "none" }, nonce: "567" };
    expect(login("securemode=2,authType=register,random=567,signmethod=hmacsha256")).toMatchObject(expected);
    const body = "productKey=pk&deviceName=dn&random=567&sign=x&signMethod=hmacsha256";
    expect(signedBy(http({ method: "POST", url: "http://h/auth/register/device", payload: { size: 1, text: body, json: false } }), "alibaba")).toMatchObject(expected);
  });
});

describe("the vectors", () => {
  type Vector = Record<"client_id" | "username" | "password" | "content" | "deviceSecret" | "productSecret", string | undefined>;
  const vectors = JSON.parse(readFileSync(new URL("../../tests/vectors/alibaba.json", import.meta.url), "utf8")) as Record<"mqtt_connect" | "dynreg_mqtt", Vector[]>;
  const checked = (vector: Vector, secret: string | undefined) => {
    const signed = signedBy(connect({ client_id: vector.client_id ?? "", username: vector.username ?? "" }), "alibaba");
    expect(signed, vector.client_id).not.toBeNull();
    if (vector.content !== undefined) expect(signed?.string).toBe(vector.content);
    const mac = createHmac((signed?.method ?? "").replace("hmac", ""), secret ?? "").update(signed?.string ?? "");
    expect(mac.digest("hex")).toBe(vector.password?.toLowerCase());
  };

  it("of logins, by four SDKs, are signed over these strings", () => {
    expect(vectors.mqtt_connect.length).toBeGreaterThanOrEqual(3);
    for (const vector of vectors.mqtt_connect) checked(vector, vector.deviceSecret);
  });

  it("of registrations too", () => {
    expect(vectors.dynreg_mqtt.length).toBeGreaterThan(0);
    for (const vector of vectors.dynreg_mqtt) checked(vector, vector.productSecret);
  });
});

describe("an owner's call", () => {
  const request = (headers: [string, string][]) => http({ method: "POST", url: "https://h/awss", string_to_sign: "POST\n/awss", headers });
  it("tells its time, where it stands, and how the cloud's clock differs", () => {
    const answer = http({ status: 200, headers: [["Date", new Date(SENT + 30_000).toUTCString()]] }, "down", SENT + 100);
    expect(signedBy(request([["X-Ca-Timestamp", String(SENT - 3)], ["X-Ca-Nonce", "n"], ["X-Ca-Signature-Method", "HmacSHA1"]]), "alibaba", answer)).toEqual({
      key: "app_secret",
      method: "HmacSHA1",
      string: "POST\n/awss",
      clock: { kind: "wall", unix: SENT - 3, drift: 3, field: "x_ca_timestamp" },
      nonce: "n",
      server: 30_000,
    });
    expect(signedBy(request([["date", new Date(SENT).toUTCString()]]), "alibaba")).toMatchObject({ clock: { kind: "wall", field: "date", drift: 500 }, server: null });
    expect(signedBy(request([["date", "nonsense"]]), "alibaba")?.clock).toEqual({ kind: "none" });
  });
});

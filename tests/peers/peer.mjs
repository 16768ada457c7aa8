// What the Node peers share.
import { createRequire } from 'node:module';

const mqtt = createRequire(`${process.env.MUSTER_PEERS_NODE}/`)('mqtt');

export const argument = () => JSON.parse(process.argv[2]);

export const client = (url, options) =>
  mqtt.connectAsync(url, { protocolVersion: 4, clean: true, reconnectPeriod: 0, connectTimeout: 10000, ...options });

export const once = (emitter, event) =>
  new Promise((resolve, reject) => {
    emitter.once(event, (...values) => resolve(values));
    setTimeout(() => reject(new Error(`no ${event} within 10 s`)), 10000).unref();
  });

export const finish = (value) => {
  console.log(JSON.stringify(value));
  process.exit(0);
};

// npm `mqtt` over WebSocket: dynamic registration at UCloud, then static login with the secret received.
import { argument, client, finish, once } from './peer.mjs';

const { url, product, secret, device } = argument();
const topic = `/$system/${product}/${device}`;

const first = await client(url, {
  clientId: `${product}.${device}`, username: `${product}|${device}|2`, password: secret, keepalive: 240,
});
const granted = await first.subscribeAsync(`${topic}/password_reply`, { qos: 1 });
const reply = once(first, 'message');
await first.publishAsync(`${topic}/password`, JSON.stringify({ RequestID: '100' }), { qos: 1 });
const [, payload] = await reply;
const { RetCode, RequestID, Password } = JSON.parse(payload.toString());
await first.endAsync();

const second = await client(url, {
  clientId: `${product}.${device}`, username: `${product}|${device}|1`, password: Password, keepalive: 240,
});
await second.publishAsync(`/${product}/${device}/upload`, '{"test":"18"}', { qos: 1 });
await second.endAsync();
finish({ granted: granted[0].qos, RetCode, RequestID, Password });

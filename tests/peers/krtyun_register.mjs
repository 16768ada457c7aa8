// npm `mqtt` over WebSocket: registration at krtyun, confirmation, and login with the secret received.
import { argument, client, finish, once } from './peer.mjs';

const { url, product, secret, device } = argument();
const topic = `/sys/${product}/${device}/thing/register`;

const first = await client(url, { clientId: product, username: device, password: secret });
await first.subscribeAsync(`${topic}/set`, { qos: 1 });
const issue = once(first, 'message');
await first.publishAsync(
  `${topic}/post`,
  JSON.stringify({ CMD: 20, ID: 'node1', PRODUCT_ID: product, DEVICE_ID: device }),
  { qos: 1 },
);
const [, payload] = await issue;
const { ID, DEVICE_SECRET } = JSON.parse(payload.toString());
const closed = once(first, 'close');
await first.publishAsync(`${topic}/post`, JSON.stringify({ CMD: 21, ID, BACK: 'OK' }), { qos: 1 });
await closed;

const second = await client(url, { clientId: product, username: device, password: DEVICE_SECRET });
await second.publishAsync(
  `/sys/${product}/${device}/thing/ota/post`,
  '{"CMD":10,"HW_VERSION":"1.0.0","FW_VERSION":"2.0.0"}',
  { qos: 1 },
);
await second.endAsync();
finish({ ID, Password: DEVICE_SECRET });

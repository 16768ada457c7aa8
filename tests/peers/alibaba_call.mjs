// npm `aliyun-api-gateway`: one signed call.
import { createRequire } from 'node:module';
import { argument, finish } from './peer.mjs';

const { Client } = createRequire(`${process.env.MUSTER_PEERS_NODE}/`)('aliyun-api-gateway');
const { base, path, app_key, app_secret, body } = argument();
try {
  const result = await new Client(app_key, app_secret).post(base + path, {
    data: body, headers: { accept: 'application/json', 'content-type': 'application/json' }, timeout: 10000,
  });
  finish(result);
} catch (error) {
  finish({ status: error.code, message: String(error.message) });
}

// Customer.io's Node SDK works on the sandbox: `node customerio_node.mjs HTTP_URL`.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(process.cwd() + '/');
const { TrackClient, APIClient, SendEmailRequest } = require('customerio-node');

const url = process.argv[2];
const track = new TrackClient('sandbox-site', 'sandbox-track-key', { url: `${url}/api/v1` });
await track.identify('sdk_node', { email: 'node@example.com', plan: 'team' });
await track.track('sdk_node', { name: 'purchase', data: { amount: 9 } });
await track.trackAnonymous('anon_node', { name: 'looked', data: {} });
await track.identify('sdk_node_gone', {});
await track.destroy('sdk_node_gone');
const app = new APIClient('sandbox-app-key', { url: `${url}/v1` });
const sent = await app.sendEmail(
  new SendEmailRequest({
    to: 'node@example.com',
    transactional_message_id: '1',
    identifiers: { id: 'sdk_node' },
    message_data: {},
  }),
);
const triggered = await app.triggerBroadcast(10, { coupon_code: 'X' }, { emails: ['node@example.com'] });
if (!sent.delivery_id || triggered.id !== 1) throw new Error(JSON.stringify([sent, triggered]));
const { version } = JSON.parse(readFileSync('node_modules/customerio-node/package.json'));
console.log(`ok customerio-node ${version}: identify, track, delete, send, trigger`);

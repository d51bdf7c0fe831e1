// The peer: the Node Pub/Sub client, writing what it receives durably.
//
// As safe as our side: each event with its replay id goes into an append-only file, with one
// fdatasync per 100 events, which is how many the client asks for at a time.
import fs from 'node:fs';
import PubSubApiClient from 'salesforce-pubsub-api-client';

const [, , orgFile, output] = process.argv;
const org = JSON.parse(fs.readFileSync(orgFile, 'utf8'));
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const file = fs.openSync(output, 'wx', 0o600);
const client = new PubSubApiClient(
  {
    authType: 'user-supplied',
    accessToken: org.token,
    instanceUrl: org.instance_url,
    organizationId: org.org_id,
    pubSubEndpoint: org.endpoint,
    rejectUnauthorizedSsl: false,
  },
  silent,
);
await client.connect();

let lines = [];
let events = 0;
let changedFields = 0;
const started = process.hrtime.bigint();

function store() {
  fs.writeSync(file, lines.join(''));
  fs.fdatasyncSync(file);
  lines = [];
}

function finish() {
  const millis = Number((process.hrtime.bigint() - started) / 1_000_000n);
  const memory = Math.round(process.memoryUsage().rss / 1024);
  console.log(JSON.stringify({ events, changed_fields: changedFields, millis, memory_kb: memory }));
  client.close();
  process.exit(0);
}

client.subscribeFromEarliestEvent(org.topic, (info, kind, data) => {
  if (kind === 'error') {
    console.error(String(data));
    process.exit(1);
  }
  if (kind !== 'event') return;
  events += 1;
  changedFields += data.payload.ChangeEventHeader.changedFields.length;
  lines.push(`${JSON.stringify(data, (_, value) => (typeof value === 'bigint' ? value.toString() : value))}\n`);
  if (lines.length === 100 || events === org.events) store();
  if (events === org.events) finish();
});

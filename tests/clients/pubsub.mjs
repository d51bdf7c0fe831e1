// The Node Pub/Sub client at its ordinary work, over TLS, the only thing it speaks.
//
// It brings its own list of authorities for gRPC and takes no other, so its switch for test
// servers (`rejectUnauthorizedSsl: false`) is used there; its login is checked as usual.
import fs from 'node:fs';
import PubSubApiClient from 'salesforce-pubsub-api-client';
import { assert, org, run, sleep, version } from './checks.mjs';

const LEADS = '/data/LeadChangeEvent';
const CHANNEL = '/data/AI_Proposals__chn';
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const common = { pubSubEndpoint: org.pubsub_endpoint, rejectUnauthorizedSsl: false };
const supplied = token => ({
  ...common,
  authType: 'user-supplied',
  accessToken: token,
  instanceUrl: org.instance_url,
  organizationId: org.org_id,
});

/** One connected client and what its callback was told. */
class Listener {
  told = [];

  static async open(config) {
    const listener = new Listener();
    listener.client = new PubSubApiClient({ ...config }, silent);
    await listener.client.connect();
    return listener;
  }

  callback = (info, kind, data) => this.told.push({ kind, data, info: { ...info } });

  /** Waits for `number` callbacks of a kind. */
  async wait(kind, number = 1, seconds = 20) {
    for (let tries = 0; tries < seconds * 20; tries += 1) {
      const found = this.told.filter(one => one.kind === kind);
      if (found.length >= number) return found.map(one => one.data);
      await sleep(50);
    }
    const kinds = this.told.map(one => `${one.kind} ${one.data instanceof Error ? one.data.message : ''}`);
    assert.fail(`no ${number} of ${kind}; told: ${kinds.join(', ')}`);
  }

  close() {
    this.client.close();
  }
}

/** Listens from now on, while `body` does something, then closes. */
async function listening(subscribe, body) {
  const listener = await Listener.open(supplied(org.users.admin.access_token));
  try {
    subscribe(listener);
    await sleep(500);
    return await body(listener);
  } finally {
    listener.close();
  }
}

async function rest(method, path, body) {
  const reply = await fetch(`${org.instance_url}/services/data/v${version}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${org.users.admin.access_token}`,
      'content-type': 'application/json',
      'sforce-call-options': 'client=conformance',
    },
    body: JSON.stringify(body),
  });
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${await reply.clone().text()}`);
  return reply.status === 204 ? null : reply.json();
}

const lead = last => ({ LastName: last, Company: 'Example Widgets Ltd', Status: 'Open - Not Contacted' });
let id;
const replayIds = [];

await run({
  'connect by client credentials': async () => {
    const { client_id: clientId, client_secret: clientSecret } = org.oauth;
    const listener = await Listener.open({
      ...common,
      authType: 'oauth-client-credentials',
      loginUrl: org.instance_url,
      clientId,
      clientSecret,
    });
    listener.close();
  },
  'connect by JWT and subscribe': async () => {
    const listener = await Listener.open({
      ...common,
      authType: 'oauth-jwt-bearer',
      loginUrl: org.instance_url,
      clientId: org.oauth.client_id,
      username: org.users.admin.username,
      privateKey: fs.readFileSync(org.oauth.jwt_key_pem_path),
    });
    try {
      listener.client.subscribe(LEADS, listener.callback, 1);
      await sleep(500);
      ({ id } = await rest('POST', '/sobjects/Lead', lead('Node')));
      const [event] = await listener.wait('event');
      assert.deepEqual(event.payload.ChangeEventHeader.recordIds, [id]);
      await listener.wait('lastEvent');
    } finally {
      listener.close();
    }
  },
  'decode an update': () => listening(
    listener => listener.client.subscribe(LEADS, listener.callback, 3),
    async listener => {
      await rest('PATCH', `/sobjects/Lead/${id}`, { Status: 'Working - Contacted', City: 'Ghent' });
      const [event] = await listener.wait('event');
      const { ChangeEventHeader: header, ...fields } = event.payload;
      assert.deepEqual([header.entityName, header.changeType], ['Lead', 'UPDATE']);
      assert.ok(header.changedFields.includes('Status'), header.changedFields.join());
      assert.ok(header.changedFields.includes('Address.City'), header.changedFields.join());
      assert.equal(fields.Status, 'Working - Contacted');
      assert.equal(fields.Company, null);
      assert.ok(header.changeOrigin.endsWith(';client=conformance'), header.changeOrigin);
      assert.equal(header.commitUser, org.users.admin.user_id);
      assert.ok(BigInt(header.commitNumber) > BigInt(Number.MAX_SAFE_INTEGER), 'larger than a double holds');
      replayIds.push(event.replayId);
    },
  ),
  'decode every field type': () => listening(
    listener => listener.client.subscribe('/data/OpportunityChangeEvent', listener.callback, 1),
    async listener => {
      const { id: deal } = await rest('POST', '/sobjects/Opportunity', {
        Name: 'Node deal', StageName: 'Prospecting', CloseDate: '2030-01-31', Amount: 1234.56,
      });
      const [event] = await listener.wait('event');
      assert.deepEqual(event.payload.ChangeEventHeader.recordIds, [deal]);
      assert.equal(event.payload.Amount, 1234.56);
      assert.equal(event.payload.StageName, 'Prospecting');
      assert.ok(event.payload.CloseDate !== null && event.payload.CloseDate !== undefined);
    },
  ),
  'many events, credit renewed by the client': () => listening(
    listener => listener.client.subscribe(LEADS, listener.callback),
    async listener => {
      for (let start = 0; start < 250; start += 125) {
        const records = Array.from({ length: 125 }, (_, n) => ({ attributes: { type: 'Lead' }, ...lead(`Burst ${start + n}`) }));
        await rest('POST', '/composite/sobjects', { allOrNone: true, records });
      }
      const events = await listener.wait('event', 250);
      const ids = events.map(event => event.replayId);
      assert.equal(new Set(ids).size, 250);
      assert.deepEqual(ids, [...ids].sort((left, right) => left - right));
      replayIds.push(...ids);
    },
  ),
  'resume from a replay id': () => listening(
    listener => listener.client.subscribeFromReplayId(LEADS, listener.callback, 100, replayIds[0]),
    async listener => {
      const events = await listener.wait('event', 100);
      assert.deepEqual(events.map(event => event.replayId), replayIds.slice(1, 101));
      await listener.wait('lastEvent');
      listener.client.requestAdditionalEvents(LEADS, 50);
      const more = await listener.wait('event', 150);
      assert.deepEqual(more.map(event => event.replayId), replayIds.slice(1, 151));
    },
  ),
  'everything from the start': () => listening(
    listener => listener.client.subscribeFromEarliestEvent(LEADS, listener.callback, 100),
    async listener => {
      const events = await listener.wait('event', 100);
      assert.ok(events.some(event => event.replayId === replayIds[0]));
    },
  ),
  'a custom channel': () => listening(
    listener => listener.client.subscribe(CHANNEL, listener.callback, 5),
    async listener => {
      await rest('PATCH', `/sobjects/Lead/${id}`, { City: 'Bruges' });
      await rest('PATCH', `/sobjects/Lead/${id}`, {
        AI_Proposal_ID__c: 'conformance-1', AI_Recommended_Status__c: 'Closed - Not Converted', AI_Gate_Pending__c: true,
      });
      const events = await listener.wait('event');
      assert.equal(events.length, 1, 'the change of a city is filtered out');
      assert.equal(events[0].payload.AI_Proposal_ID__c, 'conformance-1');
    },
  ),
  'keepalive on an idle stream': () => listening(
    listener => listener.client.subscribe(LEADS, listener.callback),
    listener => listener.wait('grpcKeepAlive', 1, 28),
  ),
  'a wrong token': async () => {
    const listener = await Listener.open(supplied('00D000000000000!wrong'));
    try {
      listener.client.subscribe(LEADS, listener.callback, 1);
      const [error] = await listener.wait('error');
      assert.equal(error.code, 16, 'UNAUTHENTICATED');
      assert.match(String(error.metadata.get('error-code')), /auth/);
    } finally {
      listener.close();
    }
  },
  'a replay id that is no longer kept': () => listening(
    listener => listener.client.subscribeFromReplayId(LEADS, listener.callback, 1, Number.MAX_SAFE_INTEGER),
    async listener => {
      const [error] = await listener.wait('error');
      assert.equal(error.code, 3, 'INVALID_ARGUMENT');
      assert.match(String(error.metadata.get('error-code')), /replayid/);
    },
  ),
});

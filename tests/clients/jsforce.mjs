// jsforce at its ordinary work: login, queries, records, composite, limits, refusals.
import jsforce from 'jsforce';
import { assert, assertion, control, org, refused, run, sleep, version } from './checks.mjs';

const JWT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const COMPANY = 'Example Widgets Ltd';
const batches = { headers: { 'Sforce-Query-Options': 'batchSize=200' }, autoFetch: true, maxFetch: 10_000 };

const login = async username => {
  const connection = new jsforce.Connection({ loginUrl: org.instance_url, version });
  await connection.authorize({ grant_type: JWT, assertion: assertion(username) });
  return connection;
};
let admin;
let many;
const lead = (last, more = {}) => ({ LastName: last, Company: COMPANY, ...more });
const one = async soql => (await admin.query(soql)).records[0];

await run({
  'login by JWT': async () => {
    admin = await login(org.users.admin.username);
    assert.equal(admin.userInfo.id, org.users.admin.user_id);
    assert.equal(admin.userInfo.organizationId, org.org_id);
    assert.equal(admin.instanceUrl, org.instance_url);
  },
  'login by client credentials': async () => {
    const { client_id: clientId, client_secret: clientSecret } = org.oauth;
    const connection = new jsforce.Connection({
      oauth2: { loginUrl: org.instance_url, clientId, clientSecret },
      version,
    });
    await connection.authorize({ grant_type: 'client_credentials' });
    assert.ok(connection.accessToken && connection.userInfo.id.startsWith('005'));
    assert.ok((await connection.query('SELECT Id FROM Organization')).done);
  },
  'a login that must fail': async () => {
    const error = await refused(() => login('nobody@countersign.example'));
    assert.equal(error.name, 'invalid_grant');
  },
  'identity': async () => {
    const identity = await admin.identity();
    assert.equal(identity.user_id, org.users.admin.user_id);
    assert.equal(identity.username, org.users.admin.username);
  },
  'describe global': async () => {
    const { sobjects } = await admin.describeGlobal();
    for (const name of ['Lead', 'Opportunity', 'Account', 'User', 'LeadStatus', 'OpportunityStage', 'LeadHistory']) {
      assert.ok(sobjects.some(object => object.name === name), name);
    }
  },
  'describe an object': async () => {
    const lead = await admin.sobject('Lead').describe();
    const field = name => lead.fields.find(one => one.name === name);
    assert.equal(field('Status').type, 'picklist');
    assert.equal(field('Status').restrictedPicklist, false);
    assert.ok(field('Status').picklistValues.some(value => value.value === 'Working - Contacted' && value.active));
    assert.deepEqual(field('OwnerId').referenceTo.includes('User'), true);
    assert.equal(field('AI_Gate_Pending__c').type, 'boolean');
    assert.equal(field('AI_Proposal_ID__c').externalId, true);
  },
  'create, retrieve and update one': async () => {
    const saved = await admin.sobject('Lead').create(lead('Single', { AnnualRevenue: 1250, Status: 'Open - Not Contacted' }));
    assert.equal(saved.success, true);
    await admin.sobject('Lead').update({ Id: saved.id, Status: 'Working - Contacted', AnnualRevenue: null });
    const record = await admin.sobject('Lead').retrieve(saved.id);
    assert.equal(record.attributes.type, 'Lead');
    assert.deepEqual([record.Status, record.AnnualRevenue, record.Name], ['Working - Contacted', null, 'Single']);
    assert.match(record.LastModifiedDate, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000$/);
  },
  'create many': async () => {
    const rows = Array.from({ length: 450 }, (_, n) => lead(`Many ${String(n).padStart(4, '0')}`));
    const saved = await admin.sobject('Lead').create(rows, { allowRecursive: true });
    assert.equal(saved.length, 450);
    assert.ok(saved.every(row => row.success));
    many = saved.map(row => row.id);
  },
  'query with related fields': async () => {
    const record = await one("SELECT id, lastname, Owner.Name FROM lead WHERE LastName = 'SINGLE'");
    assert.equal(record.LastName, 'Single', 'names come back in the org letter case');
    assert.equal(typeof record.Owner.Name, 'string');
    assert.match(record.attributes.url, new RegExp(`^/services/data/v${version}/sobjects/Lead/00Q`));
  },
  'query page by page': async () => {
    const first = await admin.query("SELECT LastName FROM Lead WHERE LastName LIKE 'Many %' ORDER BY LastName", { headers: batches.headers });
    assert.deepEqual([first.totalSize, first.done, first.records.length], [450, false, 200]);
    const second = await admin.queryMore(first.nextRecordsUrl);
    assert.equal(second.records[0].LastName, 'Many 0200');
    const third = await admin.queryMore(second.nextRecordsUrl);
    assert.deepEqual([third.done, third.records.length], [true, 50]);
  },
  'query that fetches all pages itself': async () => {
    const all = await admin.query("SELECT LastName FROM Lead WHERE LastName LIKE 'Many %'", batches);
    assert.equal(new Set(all.records.map(record => record.LastName)).size, 450);
  },
  'query builder': async () => {
    // No backslash in the name: jsforce does not escape it.
    const name = "O'Hara (100%) OR Name != null";
    const find = () => admin.sobject('Lead').find({ LastName: name, Company: COMPANY }, ['Id', 'LastName']).limit(5);
    assert.equal((await find()).length, 0);
    await admin.sobject('Lead').create(lead(name));
    assert.deepEqual((await find()).map(record => record.LastName), [name]);
    assert.equal(await admin.sobject('Lead').count({ LastName: { $like: 'Many 000%' } }), 10);
  },
  'queries that must fail': async () => {
    const codes = [];
    for (const soql of ['SELECT Id FORM Lead', 'SELECT Nothing__c FROM Lead', 'SELECT Id FROM Nothing__c']) {
      codes.push((await refused(() => admin.query(soql))).errorCode);
    }
    assert.deepEqual(codes, ['MALFORMED_QUERY', 'INVALID_FIELD', 'INVALID_TYPE']);
  },
  'update many, one of them wrong': async () => {
    const rows = many.slice(0, 200).map((Id, n) => ({ Id, Company: n === 7 ? '' : 'Sample Freight Lines' }));
    const saved = await admin.sobject('Lead').update(rows);
    assert.equal(saved.length, 200);
    assert.deepEqual(saved.map(row => row.success).indexOf(false), 7, 'results stand in the order of the rows');
    assert.equal(saved[7].errors[0].statusCode, 'REQUIRED_FIELD_MISSING');
    assert.equal(saved.filter(row => row.success).length, 199);
  },
  'update many, all or none': async () => {
    const rows = [{ Id: many[0], Company: 'Must Not Stay' }, { Id: many[1], Company: '' }];
    const saved = await admin.sobject('Lead').update(rows, { allOrNone: true });
    assert.ok(saved.every(row => !row.success));
    assert.equal(saved[0].errors[0].statusCode, 'ALL_OR_NONE_OPERATION_ROLLED_BACK');
    assert.notEqual((await one(`SELECT Company FROM Lead WHERE Id = '${many[0]}'`)).Company, 'Must Not Stay');
  },
  'more than 200 rows in one call': async () => {
    const rows = many.slice(0, 201).map(Id => ({ Id, City: 'Ghent' }));
    assert.equal((await refused(() => admin.sobject('Lead').update(rows))).errorCode, 'EXCEEDED_ID_LIMIT');
  },
  'retrieve many': async () => {
    const records = await admin.sobject('Lead').retrieve(many.slice(0, 3));
    assert.deepEqual(records.map(record => record.Id), many.slice(0, 3));
  },
  'upsert one and many': async () => {
    const key = 'AI_Proposal_ID__c';
    const row = company => lead('Upsert', { [key]: 'conformance-1', AI_Gate_Pending__c: true, Company: company });
    const first = await admin.sobject('Lead').upsert(row('First Ltd'), key);
    assert.equal(first.created, true);
    const second = await admin.sobject('Lead').upsert(row('Second Ltd'), key);
    assert.deepEqual([second.created, second.id], [false, first.id]);
    const [third, fourth] = await admin.sobject('Lead').upsert([row('Third Ltd'), { ...row('Fourth Ltd'), [key]: 'conformance-2' }], key);
    assert.deepEqual([third.id, third.created, fourth.created], [first.id, false, true]);
  },
  'conditional update': async () => {
    const { id } = await admin.sobject('Lead').create(lead('Conditional'));
    const { LastModifiedDate } = await admin.sobject('Lead').retrieve(id);
    const patch = (City, since) => admin.request({
      method: 'PATCH',
      url: `/sobjects/Lead/${id}`,
      body: JSON.stringify({ City }),
      headers: { 'content-type': 'application/json', 'If-Unmodified-Since': new Date(since).toUTCString() },
    });
    await sleep(1100);
    await patch('Ghent', LastModifiedDate);
    const error = await refused(() => patch('Bruges', LastModifiedDate));
    assert.match(error.errorCode, /412|MODIFIED/, error.errorCode);
    assert.equal((await admin.sobject('Lead').retrieve(id)).City, 'Ghent');
  },
  'composite with references': async () => {
    const { compositeResponse: parts } = await admin.requestPost('/composite', {
      allOrNone: true,
      compositeRequest: [
        { method: 'POST', url: `/services/data/v${version}/sobjects/Account`, referenceId: 'account', body: { Name: COMPANY } },
        {
          method: 'POST',
          url: `/services/data/v${version}/sobjects/Opportunity`,
          referenceId: 'deal',
          body: { Name: 'Composite deal', StageName: 'Prospecting', CloseDate: '2030-01-31', AccountId: '@{account.id}' },
        },
        { method: 'GET', url: `/services/data/v${version}/sobjects/Opportunity/@{deal.id}?fields=Probability,AccountId`, referenceId: 'read' },
      ],
    });
    assert.deepEqual(parts.map(part => part.httpStatusCode), [201, 201, 200]);
    assert.deepEqual([parts[2].body.AccountId, parts[2].body.Probability], [parts[0].body.id, 10]);
  },
  'composite that is rolled back': async () => {
    const { compositeResponse: parts } = await admin.requestPost('/composite', {
      allOrNone: true,
      compositeRequest: [
        { method: 'POST', url: `/services/data/v${version}/sobjects/Account`, referenceId: 'a', body: { Name: 'Rolled Back Ltd' } },
        { method: 'POST', url: `/services/data/v${version}/sobjects/Account`, referenceId: 'b', body: {} },
      ],
    });
    assert.deepEqual(parts.map(part => part.httpStatusCode), [400, 400]);
    assert.equal(parts[0].body[0].errorCode, 'PROCESSING_HALTED');
    assert.equal((await admin.query("SELECT Id FROM Account WHERE Name = 'Rolled Back Ltd'")).totalSize, 0);
  },
  'destroy one and many': async () => {
    assert.equal((await admin.sobject('Lead').destroy(many[449])).success, true);
    const gone = await admin.sobject('Lead').destroy(many.slice(440, 449));
    assert.ok(gone.every(row => row.success));
    const count = async options => (await admin.query("SELECT Id FROM Lead WHERE LastName LIKE 'Many 044%'", options)).totalSize;
    assert.deepEqual([await count({}), await count({ scanAll: true })], [0, 10]);
  },
  'rows that do not exist': async () => {
    const codes = [];
    for (const Id of [many[449], '00QzzzzzzzzzzzzAAA']) {
      codes.push((await refused(() => admin.sobject('Lead').retrieve(Id))).errorCode);
      codes.push((await refused(() => admin.sobject('Lead').update({ Id, City: 'Ghent' }))).errorCode);
    }
    assert.deepEqual(codes.slice(0, 2), ['ENTITY_IS_DELETED', 'ENTITY_IS_DELETED']);
    assert.ok(codes.slice(2).every(code => ['NOT_FOUND', 'INVALID_CROSS_REFERENCE_KEY'].includes(code)), codes.join());
  },
  'an agent may not change the status': async () => {
    const proposer = await login(org.users.proposer.username);
    const error = await refused(() => proposer.sobject('Lead').update({ Id: many[5], Status: 'Working - Contacted' }));
    assert.match(error.errorCode, /FIELD_CUSTOM_VALIDATION_EXCEPTION|INVALID_FIELD_FOR_INSERT_UPDATE/);
  },
  'field-level security hides fields': async () => {
    const outsider = await login(org.users.outsider.username);
    const error = await refused(() => outsider.query('SELECT AI_Gate_Pending__c FROM Lead'));
    assert.equal(error.errorCode, 'INVALID_FIELD');
  },
  'limits': async () => {
    const before = (await admin.limits()).DailyApiRequests;
    assert.ok(before.Max > 0 && before.Remaining < before.Max);
    await admin.query('SELECT Id FROM Organization');
    assert.equal(admin.limitInfo.apiUsage.limit, before.Max);
    assert.equal(admin.limitInfo.apiUsage.used, before.Max - before.Remaining + 1);
  },
  '401 and login again': async () => {
    let logins = 0;
    const connection = new jsforce.Connection({
      instanceUrl: org.instance_url,
      accessToken: org.users.reviewer.access_token,
      version,
      refreshFn: (_, done) => {
        logins += 1;
        login(org.users.reviewer.username).then(fresh => done(null, fresh.accessToken), done);
      },
    });
    await connection.query('SELECT Id FROM Lead LIMIT 1');
    await control('DELETE', '/__sessions', { user: 'reviewer' });
    assert.equal((await connection.query('SELECT Id FROM Lead LIMIT 1')).records.length, 1);
    assert.equal(logins, 1);
  },
  '401 and refresh token': async () => {
    const session = await control('POST', '/__sessions', { user: 'reviewer', refresh: true });
    const { client_id: clientId, client_secret: clientSecret } = org.oauth;
    const connection = new jsforce.Connection({
      oauth2: { loginUrl: org.instance_url, clientId, clientSecret },
      instanceUrl: org.instance_url,
      accessToken: '00D000000000000!expired',
      refreshToken: session.refresh_token,
      version,
    });
    assert.equal((await connection.query('SELECT Id FROM Lead LIMIT 1')).records.length, 1);
  },
  'revoke': async () => {
    const connection = await login(org.users.outsider.username);
    await connection.query('SELECT Id FROM Lead LIMIT 1');
    const { accessToken } = connection;
    await connection.logout();
    const dead = new jsforce.Connection({ instanceUrl: org.instance_url, accessToken, version });
    assert.equal((await refused(() => dead.query('SELECT Id FROM Lead LIMIT 1'))).errorCode, 'INVALID_SESSION_ID');
  },
});

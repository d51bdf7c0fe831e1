// The unmodified Salesforce CLI deploys the package into an org that has none.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { assert, org, run, version } from './checks.mjs';

const { CLI_NODE, CLI_RUN, CLI_FOLDER, PACKAGE } = process.env;
const project = path.join(CLI_FOLDER, 'project');
const folder = path.join(project, 'salesforce-metadata');
const main = path.join(folder, 'force-app', 'main', 'default');
fs.cpSync(PACKAGE, folder, { recursive: true });
fs.copyFileSync(path.join(PACKAGE, '..', 'sfdx-project.json'), path.join(project, 'sfdx-project.json'));

/** The CLI keeps its files inside the run's folder and asks nobody for news. */
const environment = {
  PATH: `${path.dirname(CLI_NODE)}:${process.env.PATH}`,
  HOME: CLI_FOLDER,
  XDG_CACHE_HOME: path.join(CLI_FOLDER, 'cache'),
  XDG_CONFIG_HOME: path.join(CLI_FOLDER, 'config'),
  XDG_DATA_HOME: path.join(CLI_FOLDER, 'data'),
  SF_DISABLE_TELEMETRY: 'true',
  SF_AUTOUPDATE_DISABLE: 'true',
  SF_DISABLE_AUTOUPDATE: 'true',
  SF_DISABLE_LOG_FILE: 'true',
  SF_SKIP_NEW_VERSION_CHECK: 'true',
  SF_USE_GENERIC_UNIX_KEYCHAIN: 'true',
  NODE_NO_WARNINGS: '1',
};

/** Exit code and the JSON that the CLI prints, run at the top of the repository. */
function sf(words, more = {}, cwd = project) {
  const env = { ...environment, ...more };
  return new Promise((resolve, reject) => {
    const options = { cwd, env, maxBuffer: 1 << 26 };
    execFile(CLI_NODE, [CLI_RUN, ...words, '--json'], options, (error, out, err) => {
      try {
        resolve({ code: error?.code ?? 0, said: JSON.parse(out) });
      } catch {
        reject(new Error(`sf ${words.join(' ')} printed no JSON:\n${out.slice(-500)}\n${err.slice(-500)}`));
      }
    });
  });
}

async function login(role, alias) {
  const words = ['org', 'login', 'access-token', '--instance-url', org.instance_url, '--no-prompt', '--alias', alias];
  const { code, said } = await sf(words, { SF_ACCESS_TOKEN: org.users[role].access_token });
  assert.equal(code, 0, JSON.stringify(said));
  assert.equal(said.result.username, org.users[role].username);
}

const start = (more, env) => sf(['project', 'deploy', 'start', '--target-org', 'admin', ...more], env);
const source = ['--source-dir', 'salesforce-metadata'];

/** A call of our own, to see what the org does afterwards. */
async function rest(role, method, resource, body) {
  const reply = await fetch(`${org.instance_url}/services/data/v${version}/${resource}`, {
    method,
    headers: { authorization: `Bearer ${org.users[role].access_token}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await reply.text();
  return { status: reply.status, body: text ? JSON.parse(text) : null };
}

async function fields(object) {
  const { body } = await rest('admin', 'GET', `sobjects/${object}/describe`);
  return body.fields.map(field => field.name);
}

/** Changes one file of the project while `body` runs. */
async function edited(file, from, to, body) {
  const at = path.join(main, file);
  const text = fs.readFileSync(at, 'utf8');
  assert.ok(text.includes(from), `${file} has no ${from}`);
  fs.writeFileSync(at, text.replace(from, to));
  try {
    return await body();
  } finally {
    fs.writeFileSync(at, text);
  }
}

/**
 * A deploy that the org refuses: the failure that it tells of this component. The CLI lists no file
 * for an object whose own file is not part of the source, so the details are what is looked at.
 */
const broken = (file, from, to, type, fullName, problem) => async () => {
  await edited(file, from, to, async () => {
    const { code, said } = await start(source);
    assert.equal(code, 1);
    assert.equal(said.result.status, 'Failed');
    assert.equal(said.result.success, false);
    const failed = said.result.details.componentFailures;
    const found = failed.find(one => one.componentType === type && one.fullName === fullName);
    assert.ok(found, JSON.stringify(failed.slice(0, 5)));
    assert.match(found.problem, problem);
    if (type === 'CustomObject') assert.ok(Number(found.lineNumber) > 0, 'a fault in a file has its line');
    assert.equal(said.result.numberComponentErrors, failed.length);
  });
};

const status = 'objects/Lead/fields/AI_Recommended_Status__c.field-meta.xml';
const rule = 'objects/Lead/validationRules/AI_GATE_03_Proposal_Immutable.validationRule-meta.xml';
let validation;
let everything;

await run({
  'login with an access token': async () => {
    await login('admin', 'admin');
    await login('proposer', 'proposer');
  },
  'the org has nothing of the package': async () => {
    assert.ok(!(await fields('Lead')).some(name => name.startsWith('AI_')));
  },
  'org list metadata-types': async () => {
    const { code, said } = await sf(['org', 'list', 'metadata-types', '--target-org', 'admin']);
    assert.equal(code, 0);
    const names = said.result.metadataObjects.map(type => type.xmlName);
    for (const name of ['CustomObject', 'Flow', 'PermissionSet', 'ApexClass']) assert.ok(names.includes(name), name);
  },
  'deploy validate': async () => {
    // As the admin's README says it, inside the folder.
    const words = ['project', 'deploy', 'validate', '--source-dir', 'force-app', '--test-level', 'RunLocalTests', '--target-org', 'admin'];
    const { code, said } = await sf(words, {}, folder);
    assert.equal(code, 0, JSON.stringify(said).slice(0, 800));
    assert.equal(said.result.status, 'Succeeded');
    assert.equal(said.result.checkOnly, true);
    assert.equal(said.result.details.runTestResult.numTestsRun, 0);
    validation = said.result.id;
    assert.ok(!(await fields('Lead')).some(name => name.startsWith('AI_')), 'a validation changes nothing');
  },
  'deploy report': async () => {
    const { code, said } = await sf(['project', 'deploy', 'report', '--job-id', validation, '--target-org', 'admin']);
    assert.equal(code, 0);
    assert.equal(said.result.status, 'Succeeded');
  },
  'deploy quick': async () => {
    const { code, said } = await sf(['project', 'deploy', 'quick', '--job-id', validation, '--target-org', 'admin']);
    assert.equal(code, 0, JSON.stringify(said).slice(0, 800));
    assert.equal(said.result.status, 'Succeeded');
    assert.ok((await fields('Lead')).includes('AI_Decision__c'));
  },
  'the gate is at work': async () => {
    const made = await rest('admin', 'POST', 'sobjects/Lead', { LastName: 'Example', Company: 'Example Widgets Ltd' });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const lead = `sobjects/Lead/${made.body.id}`;
    const refused = await rest('proposer', 'PATCH', lead, { Status: 'Working - Contacted' });
    assert.equal(refused.body[0].errorCode, 'FIELD_CUSTOM_VALIDATION_EXCEPTION', JSON.stringify(refused.body));
    assert.match(refused.body[0].message, /^AI_GATE_/);
  },
  'the channel is there': async () => {
    const query = 'tooling/query?q=SELECT+DeveloperName+FROM+PlatformEventChannel';
    const { body } = await rest('admin', 'GET', query);
    assert.ok(JSON.stringify(body).includes('AI_Proposals'), JSON.stringify(body));
  },
  'deploy start over SOAP': async () => {
    const { code, said } = await start(source);
    assert.equal(code, 0, JSON.stringify(said).slice(0, 800));
    const { result } = said;
    assert.equal(result.status, 'Succeeded');
    assert.equal(result.numberComponentsDeployed, result.numberComponentsTotal);
    assert.ok(result.files.every(file => file.state === 'Unchanged'), 'it was deployed before');
    everything = result.files.map(file => `${file.type} ${file.fullName}`).sort();
    for (const one of [
      'CustomField Lead.AI_Decision__c',
      'ValidationRule Opportunity.AI_GATE_15_Second_Approver',
      'Flow AI_Lead_Guard',
      'PermissionSet AI_Promoter',
      'PlatformEventChannelMember AI_Proposals_chn_LeadChangeEvent',
      'CustomMetadata AI_Gate_Setting.Default',
      'GenAiFunction AI_Propose_Lead_Change',
      'ApexClass AI_Gate_Test',
    ]) {
      assert.ok(everything.includes(one), one);
    }
  },
  'deploy start over REST': async () => {
    await edited(status, '<label>', '<label>X ', async () => {
      const { code, said } = await start(source, { SF_ORG_METADATA_REST_DEPLOY: 'true' });
      assert.equal(code, 0, JSON.stringify(said).slice(0, 800));
      const changed = said.result.files.filter(file => file.state !== 'Unchanged');
      assert.deepEqual(changed.map(file => [file.state, file.fullName]), [['Changed', 'Lead.AI_Recommended_Status__c']]);
      assert.deepEqual(said.result.files.map(file => `${file.type} ${file.fullName}`).sort(), everything);
    });
  },
  'refused: an element that does not exist': broken(
    status, '<label>', '<colour>red</colour><label>', 'CustomObject', 'Lead', /^Error parsing file: Element .*colour invalid at this location in type CustomField$/),
  'refused: a type that does not exist': broken(
    status, '<type>Text<', '<type>Hat<', 'CustomObject', 'Lead', /'Hat' is not a valid value for the enum 'FieldType'/),
  'refused: a formula with an unknown field': broken(
    rule, 'AI_Recommended_Status__c', 'Missing__c', 'ValidationRule', 'Lead.AI_GATE_03_Proposal_Immutable', /Missing__c/),
  'refused: access to a required field': broken(
    'permissionsets/AI_Promoter.permissionset-meta.xml', 'Opportunity.Amount<', 'Opportunity.StageName<', 'PermissionSet', 'AI_Promoter', /You cannot deploy to a required field/),
  'refused: a quick action of no flow': broken(
    'quickActions/Lead.AI_Review_Proposal.quickAction-meta.xml', '>AI_Lead_Review<', '>AI_Nothing<', 'QuickAction', 'Lead.AI_Review_Proposal', /no Flow named AI_Nothing found/),
  'refused: a channel that does not exist': broken(
    'platformEventChannelMembers/AI_Proposals_chn_LeadChangeEvent.platformEventChannelMember-meta.xml', 'AI_Proposals__chn', 'AI_Nothing__chn', 'PlatformEventChannelMember', 'AI_Proposals_chn_LeadChangeEvent', /AI_Nothing__chn/),
  'destructive changes': async () => {
    const manifest = members => `<Package xmlns="http://soap.sforce.com/2006/04/metadata">${members}<version>67.0</version></Package>`;
    fs.writeFileSync(path.join(project, 'none.xml'), manifest(''));
    const name = 'Lead.AI_GATE_16_Hold';
    const gone = `<types><members>${name}</members><name>ValidationRule</name></types>`;
    fs.writeFileSync(path.join(project, 'gone.xml'), manifest(gone));
    const { code, said } = await start(['--manifest', 'none.xml', '--post-destructive-changes', 'gone.xml']);
    assert.equal(code, 0, JSON.stringify(said).slice(0, 800));
    const deleted = said.result.details.componentSuccesses.filter(one => one.deleted === true);
    assert.deepEqual(deleted.map(one => one.fullName), [name]);
    const query = 'tooling/query?q=SELECT+ValidationName+FROM+ValidationRule';
    const left = JSON.stringify((await rest('admin', 'GET', query)).body);
    assert.ok(left.includes('AI_GATE_17_Break_Glass') && left.split('AI_GATE_16_Hold').length === 2, left.slice(0, 300));
  },
  'only an admin deploys': async () => {
    const { code, said } = await sf(['project', 'deploy', 'start', ...source, '--target-org', 'proposer']);
    assert.equal(code, 1);
    assert.match(said.message, /INSUFFICIENT_ACCESS/);
  },
});

// What the Node clients share: the list of checks, one line of JSON for each result.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';

export { assert };

/** The JSON line of `countersign org --json`, saved by the runner. */
export const org = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
export const version = String(org.api_version).replace(/^v/, '');
export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

const PER_CHECK_MS = 30_000;
const say = line => process.stdout.write(JSON.stringify(line) + '\n');

/** Runs the checks in order. The plan goes first, so that a check that never ran is noticed. */
export async function run(checks) {
  say({ plan: Object.keys(checks) });
  for (const [check, body] of Object.entries(checks)) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no result after ${PER_CHECK_MS / 1000} s`)), PER_CHECK_MS);
    });
    try {
      await Promise.race([body(), late]);
      say({ check, ok: true });
    } catch (error) {
      say({ check, ok: false, detail: String(error?.stack ?? error).slice(0, 1500) });
    } finally {
      clearTimeout(timer);
    }
  }
  process.exit(0);
}

/** The error that a call must end with. */
export async function refused(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  assert.fail('the call was expected to be refused');
}

/** A signed assertion for the JWT bearer flow. */
export function assertion(username) {
  const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    iss: org.oauth.client_id,
    sub: username,
    aud: 'https://login.salesforce.com',
    exp: Math.floor(Date.now() / 1000) + 180,
  };
  const head = `${encode({ alg: 'RS256' })}.${encode(claims)}`;
  const key = fs.readFileSync(org.oauth.jwt_key_pem_path);
  return `${head}.${crypto.createSign('RSA-SHA256').update(head).sign(key, 'base64url')}`;
}

/** A call to the org's own controls, which are no part of Salesforce. */
export async function control(method, path, body) {
  const reply = await fetch(`${org.instance_url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${await reply.clone().text()}`);
  return reply.status === 204 ? null : reply.json();
}

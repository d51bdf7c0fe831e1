// Runs checks over a package and prints one JSON line each: {check, looked, findings, seconds}.
//   node check.mjs PACKAGE_ROOT WORK_FOLDER [check ..]
import path from 'node:path';
import { Package } from './lib/package.mjs';
import { CHECKS } from './checks.mjs';

const [root, work, ...only] = process.argv.slice(2);
const pkg = Package.load(root);
for (const check of CHECKS) {
  if (only.length && !only.includes(check.name)) continue;
  const start = process.hrtime.bigint();
  let result;
  try {
    result = await check.run(pkg, { root: path.resolve(root), work: path.resolve(work) });
  } catch (error) {
    result = { looked: 0, findings: [`${check.name} broke: ${error.stack}`] };
  }
  if (!result.looked) result.findings.push(`${check.name} found nothing to check`);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  console.log(JSON.stringify({ check: check.name, looked: result.looked, findings: result.findings, seconds }));
}

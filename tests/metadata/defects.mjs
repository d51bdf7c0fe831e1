// Breaks the package in every way that defects.json lists, one at a time. Some check must find each.
//   node defects.mjs PACKAGE_ROOT WORK_FOLDER
// Prints one JSON line a defect: {defect, kind, caught: [check ..], findings: [first of each]}.
import fs from 'node:fs';
import path from 'node:path';
import { Package } from './lib/package.mjs';
import { CHECKS } from './checks.mjs';

const SLOW = new Set(['roundtrip', 'apex', 'scanner', 'security']);
const BASE = 'force-app/main/default';

/** Paths and new texts of one defect, or an Error when it does not apply to the package. */
export function edits(pkg, defect) {
  const at = path.posix.join(BASE, defect.file);
  const text = pkg.files.get(at);
  if (text === undefined) return new Error(`there is no ${at}`);
  if (defect.add) return new Map([[path.posix.join(BASE, defect.add), defect.text]]);
  if (defect.delete) return new Map([[at, null]]);
  let broken = text;
  if (defect.find !== undefined) {
    if (!text.includes(defect.find)) return new Error(`${at} does not say ${JSON.stringify(defect.find)}`);
    broken = defect.all ? text.replaceAll(defect.find, () => defect.put) : text.replace(defect.find, () => defect.put);
    if (broken === text) return new Error('changes nothing');
  }
  return defect.rename ? new Map([[at, null], [path.posix.join(BASE, defect.rename), broken]]) : new Map([[at, broken]]);
}

/** For the slow checks: only what has to do with the broken files. */
function part(broken, changed, check) {
  if (check === 'apex') return broken;
  const wanted = check === 'roundtrip' ? (at) => changed.has(at) || !at.startsWith('force-app/') : (at) => changed.has(at) && at.includes('/flows/');
  return new Package(new Map([...broken.files].filter(([at]) => wanted(at))));
}

async function main() {
  const [root, work] = process.argv.slice(2);
  const pkg = Package.load(root);
  const defects = JSON.parse(fs.readFileSync(new URL('./defects.json', import.meta.url), 'utf8'));
  const baseline = new Map();
  for (const check of CHECKS) if (!SLOW.has(check.name)) baseline.set(check.name, new Set((await check.run(pkg, { root, work })).findings));
  for (const defect of defects) {
    const changed = edits(pkg, defect);
    if (changed instanceof Error) {
      console.log(JSON.stringify({ defect: defect.name, kind: defect.kind, caught: [], error: changed.message }));
      continue;
    }
    const broken = pkg.withEdits(changed);
    const caught = [];
    const findings = [];
    for (const check of CHECKS) {
      const slow = SLOW.has(check.name);
      if (slow && !(defect.also ?? []).includes(check.name)) continue;
      const result = await check.run(slow ? part(broken, changed, check.name) : broken, { root, work: path.join(work, 'defect') });
      const fresh = result.findings.filter((it) => !baseline.get(check.name)?.has(it));
      if (!fresh.length) continue;
      caught.push(check.name);
      findings.push(`${check.name}: ${fresh[0]}`);
    }
    const missing = (defect.also ?? []).filter((it) => !caught.includes(it));
    console.log(JSON.stringify({ defect: defect.name, kind: defect.kind, caught, findings, error: missing.length ? `${missing.join(', ')} should find it` : undefined }));
  }
}

await main();

// apex-ls type-checks the Apex classes and the objects they stand on. It runs in Java.
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { orgOf } from '../lib/org.mjs';

const JARS = 'node_modules/@salesforce/code-analyzer-pmd-engine/dist/java-lib/*';

export default {
  name: 'apex',
  run(pkg, { work }) {
    const at = path.join(work, 'apex');
    fs.rmSync(at, { recursive: true, force: true });
    pkg.write(at);
    const classes = [...pkg.files].filter(([file]) => file.endsWith('.cls'));
    return { looked: classes.length, findings: [...issues(at), ...customNames(pkg, classes)] };
  },
};

/** apex-ls does not look up custom fields of standard objects, nor what stands in queries. */
function customNames(pkg, classes) {
  const org = orgOf(pkg);
  const known = new Set([...org.objects].flatMap(([object, fields]) => [object, ...fields.keys()]));
  const codes = new Set(pkg.of('ValidationRule').map((it) => /^AI_GATE_\d\d/.exec(it.name)?.[0]));
  const wrong = [];
  for (const [file, text] of classes) {
    for (const [name] of text.matchAll(/\b[A-Za-z]\w*?__(?:c|mdt|r)\b/g)) if (!known.has(name.replace(/__r$/, '__c'))) wrong.push(`${file}: there is no ${name}`);
    for (const [code] of text.matchAll(/\bAI_GATE_\d\d\b/g)) if (!codes.has(code)) wrong.push(`${file}: there is no rule ${code}`);
  }
  return wrong;
}

/** What apex-ls has to say about the project at `at`. */
export function issues(at) {
  const args = ['-Xshare:auto', '-XX:TieredStopAtLevel=1', '-cp', JARS, 'io.github.apexdevtools.apexls.CheckForIssues', '-n', '-f', 'json', '-d', 'errors', '-w', at];
  const { stdout, stderr, error } = spawnSync('java', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (error) throw error;
  if (!stdout.trim() && stderr.trim()) throw new Error(stderr.split('\n')[0]);
  const said = stdout.trim() ? JSON.parse(stdout) : {};
  return (said.files ?? []).flatMap((file) => file.messages.map((it) => `${path.relative(path.resolve(at), file.path)}:${it.start.line}: ${it.message}`));
}

// The package becomes metadata format and source again, and says the same as before.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parse } from '../lib/xml.mjs';

const require = createRequire(import.meta.url);

export default {
  name: 'roundtrip',
  async run(pkg, { work }) {
    const { ComponentSet, MetadataConverter } = require('@salesforce/source-deploy-retrieve');
    const at = path.join(work, 'roundtrip');
    fs.rmSync(at, { recursive: true, force: true });
    const from = path.join(at, 'from');
    pkg.write(from);
    const findings = [];
    try {
      const there = ComponentSet.fromSource(path.join(from, 'force-app'));
      const converter = new MetadataConverter();
      const mid = await converter.convert(there, 'metadata', { type: 'directory', outputDirectory: at, packageName: 'mdapi' });
      const back = ComponentSet.fromSource(mid.packagePath);
      await converter.convert(back, 'source', { type: 'directory', outputDirectory: at, packageName: 'back' });
      const found = new Map();
      collect(path.join(at, 'back'), found);
      for (const [file, text] of pkg.files) if (file.startsWith('force-app/')) compare(file, text, found, findings);
      for (const [file, text] of found) if (!empty(text)) findings.push(`${file}: came back and was never sent`);
    } catch (error) {
      findings.push(`conversion: ${error.message.split('\n')[0].replaceAll(at, '')}`);
    }
    return { looked: pkg.parts.length + pkg.unreadable.length, findings };
  },
};

const key = (file) => file.split('default/').at(-1);

function collect(folder, found) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) collect(at, found);
    else found.set(key(at), fs.readFileSync(at, 'utf8'));
  }
}

/** Objects of which we ship only parts come back with a frame and nothing in it. */
function empty(text) {
  const root = parse(text);
  return !(root instanceof Error) && root.name === 'CustomObject' && root.children.every((it) => it.name === 'fullName');
}

function compare(file, text, found, findings) {
  const back = found.get(key(file));
  found.delete(key(file));
  if (back === undefined) {
    findings.push(`${file}: did not come back`);
    return;
  }
  if (!file.endsWith('.xml')) {
    if (back !== text) findings.push(`${file}: came back otherwise`);
    return;
  }
  const [a, b] = [parse(text), parse(back)];
  const same = !(a instanceof Error) && !(b instanceof Error) && plain(a) === plain(b);
  if (!same) findings.push(`${file}: came back otherwise`);
}

/** Elements in any order of kinds, as text. `fullName` is filled in by the conversion. */
function plain(element) {
  const inner = element.children.map(plain).sort().filter((it) => !it.startsWith('<fullName'));
  const attrs = Object.entries(element.attrs).filter(([k]) => !k.startsWith('xmlns')).map(([k, v]) => ` ${k}=${v}`).sort();
  return `<${element.name}${attrs.join('')}>${inner.join('')}${element.children.length ? '' : element.text}</>`;
}

// Lightning Flow Scanner with all its rules. Every one that is switched off says why.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { short } from '../lib/package.mjs';

const require = createRequire(import.meta.url);

export default {
  name: 'scanner',
  async run(pkg, { work }) {
    const { parse, scan } = require('@flow-scanner/lightning-flow-scanner-core');
    const at = path.join(work, 'scanner');
    fs.rmSync(at, { recursive: true, force: true });
    const flows = [...pkg.files].filter(([file]) => file.endsWith('.flow-meta.xml'));
    const files = flows.map(([file, text]) => {
      const to = path.join(at, path.basename(file));
      fs.mkdirSync(at, { recursive: true });
      fs.writeFileSync(to, text);
      return to;
    });
    const excuses = JSON.parse(fs.readFileSync(new URL('../scanner.json', import.meta.url), 'utf8'));
    const findings = [];
    const read = await parse(files);
    for (const it of read) if (it.errorMessage) findings.push(`${path.basename(it.uri)}: ${it.errorMessage}`);
    for (const result of scan(read.filter((it) => it.flow))) {
      for (const rule of result.ruleResults.filter((it) => it.occurs)) {
        for (const detail of rule.details) {
          const name = result.flow.name ?? path.basename(result.flow.uri ?? '');
          const excused = excuses.some((it) => it.rule === rule.ruleName && (!it.names || it.names.includes(detail.name)) && (!it.flows || it.flows.some((flow) => name.startsWith(flow))));
          if (!excused) findings.push(`${short(name)}: ${rule.ruleName}: ${detail.name}`);
        }
      }
    }
    return { looked: read.length, findings };
  },
};

// Code Analyzer's flow engine: data of the user that reaches a write without the user's rights.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export default {
  name: 'security',
  async run(pkg, { work }) {
    const at = path.join(work, 'security');
    fs.rmSync(at, { recursive: true, force: true });
    let looked = 0;
    for (const [file, text] of pkg.files) {
      if (!file.endsWith('.flow-meta.xml')) continue;
      fs.mkdirSync(at, { recursive: true });
      fs.writeFileSync(path.join(at, path.basename(file)), text);
      looked += 1;
    }
    if (!looked) return { looked, findings: [] };
    return { looked, findings: (await analyze(at)).map((it) => `${path.basename(it.file)}:${it.line}: ${it.message}`) };
  },
};

/** Violations in all flows under `folder`: file, line, message. */
export async function analyze(folder) {
  const { CodeAnalyzer, CodeAnalyzerConfig } = require('@salesforce/code-analyzer-core');
  const { createEnginePlugin } = require('@salesforce/code-analyzer-flow-engine');
  const analyzer = new CodeAnalyzer(CodeAnalyzerConfig.withDefaults());
  await analyzer.addEnginePlugin(createEnginePlugin());
  const workspace = await analyzer.createWorkspace([path.resolve(folder)]);
  const rules = await analyzer.selectRules(['all'], { workspace });
  if (rules.getCount() < 2) throw new Error(`the flow engine brought ${rules.getCount()} rules`);
  const results = await analyzer.run(rules, { workspace });
  return results.getViolations().map((it) => {
    const place = it.getPrimaryLocation();
    return { file: place.getFile() ?? '', line: place.getStartLine(), message: `${it.getRule().getName()}: ${it.getMessage().split('\n')[0]}` };
  });
}

// Remakes src/simulator/metadata/schema.json: the metadata types that the simulated org
// accepts, from the declarations that Salesforce publishes. Run it after `npm ci` here:
//
//   node tests/metadata/org_schema.mjs > src/simulator/metadata/schema.json
//
// The simulated org's list of kinds is src/simulator/metadata/kinds.rs.
import fs from 'node:fs';
import { fieldsOf, load } from './lib/types.mjs';

const KINDS = new URL('../../src/simulator/metadata/kinds.rs', import.meta.url);
const roots = [...fs.readFileSync(KINDS, 'utf8').matchAll(/^ {4}kind\(\s*"(\w+)"/gm)].map((found) => found[1]);

/** Elements that the API has and the declarations lack, or that a deploy fills in. */
const EXTRA = { CustomField: ['displayLocationInDecimal:boolean'] };
const FILLED_IN = new Set(['CustomValue.default', 'CustomValue.label']);
const SCALARS = new Set(['string', 'boolean', 'number', 'Date', 'any']);

const schema = load();
const [types, words] = [{}, {}];

/** What stands for a type in the file: a scalar, a list of words, or a type of its own. */
function known(name) {
  if (SCALARS.has(name)) return name;
  for (let type = name; type; type = schema.types.get(type)?.base) {
    if (schema.enums.has(type)) {
      words[type] = [...schema.enums.get(type)].join(' ');
      return type;
    }
  }
  // An alias of string.
  if (!schema.types.has(name)) return 'string';
  add(name);
  return name;
}

/** `name:type`, with `*` for a list and `!` for an element that must be there. */
function add(name) {
  if (types[name] !== undefined) return;
  if (!schema.types.has(name)) throw new Error(`no type ${name}`);
  types[name] = '';
  const fields = [...fieldsOf(schema, name)].map(([field, { type, many, optional }]) => {
    const must = !many && !optional && !FILLED_IN.has(`${name}.${field}`);
    return `${field}:${known(type)}${many ? '*' : must ? '!' : ''}`;
  });
  types[name] = [...fields, ...(EXTRA[name] ?? [])].join(' ');
}

const lines = (object) => Object.keys(object).sort().map((key) => `  ${JSON.stringify(key)}: ${JSON.stringify(object[key])}`).join(',\n');
roots.forEach(add);
process.stdout.write(`{
"source": "lib/metadata.d.ts of npm @salesforce/types 1.9.0 (BSD-3-Clause), made by tests/metadata/org_schema.mjs",
"types": {
${lines(types)}
},
"words": {
${lines(words)}
}
}
`);

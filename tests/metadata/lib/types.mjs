// The schema of the metadata API, read from the declarations of @salesforce/types.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** { types: Map name -> {base, fields: Map name -> {type, many, optional}}, enums: Map name -> Set } */
export function load() {
  const at = require.resolve('@salesforce/types/metadata').replace(/\.js$/, '.d.ts');
  const text = fs.readFileSync(at, 'utf8');
  const types = new Map();
  const enums = new Map();
  for (const [, name, body] of text.matchAll(/^export type (\w+) = ((?:'[^']*'(?: \| )?)+);$/gm)) {
    enums.set(name, new Set([...body.matchAll(/'([^']*)'/g)].map((it) => it[1])));
  }
  for (const [, name, base, body] of text.matchAll(/^export type (\w+) = (?:(\w+) & )?\{\n([\s\S]*?)^\};$/gm)) {
    const fields = new Map();
    for (const [, field, optional, type, many] of body.matchAll(/^ {4}"?([\w]+)"?(\?)?: ([\w.]+)(\[\])?;$/gm)) {
      fields.set(field, { type, many: Boolean(many), optional: Boolean(optional) });
    }
    types.set(name, { base, fields });
  }
  for (const [, name, base] of text.matchAll(/^export type (\w+) = ([A-Z]\w+);$/gm)) types.set(name, { base, fields: new Map() });
  return { types, enums };
}

/** All fields of a type with those of its bases. */
export function fieldsOf(schema, name, memo = (schema.memo ??= new Map())) {
  if (!memo.has(name)) {
    const type = schema.types.get(name);
    const all = new Map(type?.base ? fieldsOf(schema, type.base) : []);
    for (const [field, what] of type?.fields ?? []) all.set(field, what);
    memo.set(name, all);
  }
  return memo.get(name);
}

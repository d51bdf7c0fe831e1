// Every element of every file is one that the metadata API has, with a value of its type.
import { walk } from '../lib/xml.mjs';
import { fieldsOf, load } from '../lib/types.mjs';

const NAMESPACE = 'http://soap.sforce.com/2006/04/metadata';
const SCALARS = {
  string: () => true,
  any: () => true,
  boolean: (text) => text === 'true' || text === 'false',
  number: (text) => /^-?\d+(\.\d+)?$/.test(text),
  Date: (text) => !Number.isNaN(Date.parse(text)),
};
/** Elements that the API has and the declarations lack, or that a deploy fills in. */
const EXTRA = { CustomField: { displayLocationInDecimal: { type: 'boolean', optional: true } } };
const FILLED_IN = new Set(['CustomValue.default', 'CustomValue.label']);

const schema = load();

export default {
  name: 'schema',
  run(pkg) {
    const findings = pkg.unreadable.map((it) => `${it.path}: not well-formed: ${it.message}`);
    let looked = pkg.unreadable.length;
    for (const part of pkg.parts) {
      if (!part.root) continue;
      looked += 1;
      const say = (element, message) => findings.push(`${part.path}:${element.line}: ${message}`);
      if (part.root.name !== part.type) say(part.root, `root is ${part.root.name}, not ${part.type}`);
      if (part.root.attrs.xmlns !== NAMESPACE) say(part.root, `namespace is ${part.root.attrs.xmlns}`);
      if (part.root.commentBefore) say(part.root, 'a comment stands before the root element');
      for (const element of walk(part.root)) if (element.cdata) say(element, 'CDATA does not survive a retrieve: encode it');
      element(part.root, part.type, say);
    }
    return { looked, findings };
  },
};

function element(it, type, say) {
  const fields = fieldsOf(schema, type);
  if (!fields.size) return say(it, `the schema has no type ${type}`);
  if (it.text.trim()) say(it, `${it.name} holds bare text`);
  const seen = new Map();
  let last = null;
  for (const inner of it.children) {
    const field = fields.get(inner.name) ?? EXTRA[type]?.[inner.name];
    if (!field) {
      say(inner, `${type} has no element ${inner.name}`);
      continue;
    }
    const count = (seen.get(inner.name) ?? 0) + 1;
    seen.set(inner.name, count);
    if (count > 1 && !field.many) say(inner, `${inner.name} stands twice in ${type}`);
    if (count > 1 && last !== inner.name) say(inner, `Element ${inner.name} is duplicated at this location in type ${type}`);
    last = inner.name;
    inside(inner, field.type, say);
  }
  for (const [name, field] of fields) {
    if (!field.optional && !field.many && !seen.has(name) && !FILLED_IN.has(`${type}.${name}`)) say(it, `${type} needs ${name}`);
  }
}

function inside(it, type, say) {
  const scalar = SCALARS[type];
  const options = schema.enums.get(type);
  const text = it.text.trim();
  if (!scalar && !options) return element(it, type, say);
  if (it.children.length) return say(it, `${it.name} is a value and holds elements`);
  if (options && !options.has(text)) say(it, `${it.name}: ${text} is not one of ${[...options].slice(0, 8).join(', ')}`);
  if (scalar && !scalar(text)) say(it, `${it.name}: ${text} is not a ${type}`);
  if (it.attrs['xsi:type']) typed(it, text, say);
}

/** Values of custom metadata state their type. */
function typed(it, text, say) {
  const form = { 'xsd:string': /^/, 'xsd:boolean': /^(true|false)$/, 'xsd:double': /^-?\d+(\.\d+)?$/, 'xsd:int': /^-?\d+$/, 'xsd:date': /^\d{4}-\d\d-\d\d$/, 'xsd:dateTime': /^\d{4}-\d\d-\d\dT/, 'xsd:picklist': /^/ };
  const pattern = form[it.attrs['xsi:type']];
  if (!pattern) say(it, `${it.attrs['xsi:type']} is no type of a value`);
  else if (!pattern.test(text)) say(it, `${text} is not a ${it.attrs['xsi:type']}`);
}

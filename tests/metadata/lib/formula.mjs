// Formulas: parsed and typed by sformula. What it lacks (ISCHANGED, PRIORVALUE, ISNEW, the global
// variables, a clock that stands still) becomes plain inputs before it sees the tree.
import { createRequire } from 'node:module';
import { compileSync } from 'sformula';

const require = createRequire(import.meta.url);
const { parseFormula } = require('sformula/lib/formula.js');

const CHANGED = 'Changed_';
const PRIOR = 'Prior_';
export const MAX_LENGTH = 3900;

/** Every node of a tree. */
export function* nodes(node) {
  if (!node || typeof node !== 'object') return;
  if (Array.isArray(node)) {
    for (const it of node) yield* nodes(it);
    return;
  }
  if (!node.type) return;
  yield node;
  for (const [key, it] of Object.entries(node)) if (key !== 'loc') yield* nodes(it);
}

/** `$CustomMetadata.A.B.C` of a member expression, `X` of an identifier, or undefined. */
export function pathOf(node) {
  if (node?.type === 'Identifier') return node.name;
  if (node?.type !== 'MemberExpression') return undefined;
  const head = pathOf(node.object);
  return head === undefined ? undefined : `${head}.${node.property.name ?? node.property.value}`;
}

/** Name and arguments of a call, or undefined. */
export function call(node, name) {
  return node?.type === 'CallExpression' && node.callee.name?.toUpperCase() === name ? node.arguments : undefined;
}

/** Parses `text`. Flow formulas write `{!Name}` where rules write `Name`. */
export function parse(text, flow) {
  if (text.length > MAX_LENGTH) throw new Error(`Formula is too long (${text.length} characters). Maximum length is ${MAX_LENGTH}`);
  const plain = flow ? text.replace(/\{!\s*([$\w.]+)\s*\}/g, '$1') : text;
  if (!flow && text.includes('{!')) throw new Error('Syntax error: {! belongs to flows');
  return parseFormula(plain);
}

/** Compiles the tree. `typeOf(path)` says the sformula type of a name, or undefined. */
export function compile(tree, typeOf, { returns = 'boolean', blankAsZero = false, onRecord = true } = {}) {
  const inputs = new Map();
  const ast = rewrite(structuredClone(tree), typeOf, inputs, onRecord);
  const formula = compileSync(ast, { inputTypes: nested(inputs), returnType: returns, blankAsZero });
  return { inputs, evaluate: (values) => formula.evaluate(values) };
}

function rewrite(node, typeOf, inputs, onRecord) {
  const name = node.type === 'CallExpression' ? node.callee.name?.toUpperCase() : undefined;
  if (name === 'ISNEW' || name === 'NOW' || name === 'TODAY') {
    if (node.arguments.length) throw new Error(`Incorrect number of parameters for function ${name}`);
    return input(`${name}_`, { ISNEW: 'boolean', NOW: 'datetime', TODAY: 'date' }[name], node, inputs);
  }
  if (name === 'ISCHANGED' || name === 'PRIORVALUE') {
    const field = pathOf(node.arguments[0])?.replace(/^\$Record\./, '');
    if (!onRecord) throw new Error(`Function ${name} may not be used in this type of formula`);
    if (node.arguments.length !== 1 || !field || field.includes('.') || field.startsWith('$')) throw new Error(`${name} takes a field of the record`);
    const type = typeOf(field);
    if (!type) throw new Error(`Field ${field} does not exist`);
    return name === 'ISCHANGED' ? input(CHANGED + field, 'boolean', node, inputs) : input(PRIOR + field, type, node, inputs);
  }
  if (name === 'ISPICKVAL' && node.arguments[1] && node.arguments[1].type !== 'Literal') throw new Error('ISPICKVAL compares with a literal');
  const path = pathOf(node);
  if (path !== undefined) {
    const type = typeOf(path);
    if (!type) throw new Error(`Field ${path} does not exist`);
    inputs.set(path, type);
    return node;
  }
  for (const key of ['arguments', 'left', 'right', 'argument', 'object', 'expressions']) {
    if (Array.isArray(node[key])) node[key] = node[key].map((it) => rewrite(it, typeOf, inputs, onRecord));
    else if (node[key]?.type) node[key] = rewrite(node[key], typeOf, inputs, onRecord);
  }
  return node;
}

function input(name, type, node, inputs) {
  inputs.set(name, type);
  return { type: 'Identifier', name, loc: node.loc };
}

/** `A.B` and its type as the nested dictionary that sformula takes. */
function nested(inputs) {
  const all = {};
  for (const [path, type] of inputs) {
    const parts = path.split('.');
    let at = all;
    for (const part of parts.slice(0, -1)) at = (at[part] ??= { type: 'object', properties: {} }).properties;
    at[parts.at(-1)] = { type };
  }
  return all;
}

/** The same for values: `get(path)` gives each one. */
export function context(inputs, get) {
  const all = {};
  for (const path of inputs.keys()) {
    const parts = path.split('.');
    let at = all;
    for (const part of parts.slice(0, -1)) at = at[part] ??= {};
    at[parts.at(-1)] = get(path);
  }
  return all;
}

/** What a validation rule of `object` may name. */
export function ruleTypes(org, permissions, object) {
  return (path) => {
    const parts = path.split('.');
    if (parts[0] === '$Permission') return parts.length === 2 && permissions.has(parts[1]) ? 'boolean' : undefined;
    if (parts[0] === '$CustomMetadata') return parts.length === 4 ? org.metadata(parts[1], parts[2], parts[3])?.type : undefined;
    if (parts[0] === '$User') return org.find('User', parts.slice(1).join('.'))?.type;
    if (parts[0].startsWith('$')) return undefined;
    return org.find(object, path)?.type;
  };
}

// Rules and flow formulas: parsed, typed, and free of comparisons that fail open on a blank.
import { children, value, walk } from '../lib/xml.mjs';
import { orgOf } from '../lib/org.mjs';
import { call, compile, nodes, parse, pathOf, ruleTypes } from '../lib/formula.mjs';
import { flowTypes } from '../lib/flow.mjs';

const COMPARE = new Set(['=', '==', '===', '<>', '!=', '!==', '<', '>', '<=', '>=']);
const NULLABLE = new Set(['number', 'currency', 'percent', 'date', 'datetime']);

export default {
  name: 'formulas',
  run(pkg) {
    const org = orgOf(pkg);
    const permissions = pkg.names('CustomPermission');
    const findings = [];
    let looked = 0;
    for (const part of pkg.of('ValidationRule')) {
      looked += 1;
      if (remembered(part, org, findings)) continue;
      const typeOf = ruleTypes(org, permissions, part.object);
      const say = (message) => keep(part, org, findings, `${part.path}: ${message}`);
      one(value(part.root, 'errorConditionFormula') ?? '', typeOf, org, part.object, say, {});
      const field = value(part.root, 'errorDisplayField');
      if (field && !org.find(part.object, field)) say(`errorDisplayField ${field} does not exist`);
    }
    for (const part of pkg.of('Flow')) {
      looked += [...flowFormulas(part)].length;
      if (remembered(part, org, findings)) continue;
      const typeOf = flowTypes(part, org, permissions);
      for (const { text, returns, onRecord, at } of flowFormulas(part)) {
        one(text, typeOf, org, value(part.root.children.find((it) => it.name === 'start') ?? part.root, 'object'), (message) => keep(part, org, findings, `${part.path}: ${at}: ${message}`), { flow: true, returns, onRecord });
      }
    }
    return { looked, findings };
  },
};

// Broken copies share most of their files, and a formula says the same where all names mean the same.
const known = new Map();
const keyOf = (part, org) => `${part.path}\n${part.text}\n${org.signature}`;

function remembered(part, org, findings) {
  const key = keyOf(part, org);
  if (known.has(key)) {
    findings.push(...known.get(key));
    return true;
  }
  known.set(key, []);
  return false;
}

function keep(part, org, findings, message) {
  known.get(keyOf(part, org)).push(message);
  findings.push(message);
}

/** Every formula of a flow, and of what type its value must be. */
function* flowFormulas(part) {
  const TYPES = { String: 'string', Boolean: 'boolean', Number: 'number', Currency: 'number', Date: 'date', DateTime: 'datetime' };
  for (const it of children(part.root, 'formulas')) {
    yield { text: value(it, 'expression') ?? '', returns: TYPES[value(it, 'dataType')], onRecord: false, at: value(it, 'name') };
  }
  for (const it of walk(part.root)) {
    if (it.name === 'filterFormula') yield { text: it.text.trim(), returns: 'boolean', onRecord: true, at: 'start' };
    if (it.name === 'formulaExpression') yield { text: it.text.trim(), returns: 'boolean', onRecord: false, at: `line ${it.line}` };
  }
}

function one(text, typeOf, org, object, say, { flow = false, returns = 'boolean', onRecord = true }) {
  let tree;
  try {
    tree = parse(text, flow);
    compile(tree, typeOf, { returns, onRecord });
  } catch (error) {
    say(error.message.split('\n')[0]);
    return;
  }
  if (!flow) failsOpen(tree, typeOf, say);
  literals(tree, org, object, say);
}

/** A comparison with a blank number, date or time is null, and the rule does not fire. */
function failsOpen(tree, typeOf, say) {
  const visit = (node, above) => {
    if (Array.isArray(node)) return node.forEach((it) => visit(it, above));
    if (!node?.type) return undefined;
    if (node.type === 'BinaryExpression' && COMPARE.has(node.operator)) {
      for (const side of [node.left, node.right]) {
        const other = side === node.left ? node.right : node.left;
        const open = operands(side, typeOf).filter((it) => !guarded(it, node, above));
        if (open.length && !(other.type === 'Literal' && other.value === 0)) say(`compares ${open.join(', ')}, which may be blank: the rule would not fire`);
      }
    }
    for (const [key, it] of Object.entries(node)) if (key !== 'loc' && typeof it === 'object') visit(it, [...above, node]);
    return undefined;
  };
  visit(tree, []);
}

/** Names in `node` that may be blank, outside of BLANKVALUE. */
function operands(node, typeOf) {
  if (call(node, 'BLANKVALUE') || call(node, 'NULLVALUE')) return [];
  const prior = call(node, 'PRIORVALUE');
  const path = pathOf(prior ? prior[0] : node);
  if (path !== undefined) return NULLABLE.has(typeOf(path)) ? [prior ? `PRIORVALUE(${path})` : path] : [];
  if (node.type === 'CallExpression') return [];
  return ['left', 'right', 'argument'].flatMap((key) => (node[key]?.type ? operands(node[key], typeOf) : []));
}

/** Whether a branch beside the comparison asks ISBLANK of the same name, or that it is above zero. */
function guarded(name, comparison, above) {
  const chain = [...above, comparison];
  return chain.some((node, i) => {
    if (node.type !== 'CallExpression' || !['AND', 'OR', 'IF'].includes(node.callee.name?.toUpperCase())) return false;
    return node.arguments.filter((it) => it !== chain[i + 1]).some((branch) => [...nodes(branch)].some((it) => asks(it, name)));
  });
}

const text = (node) => (call(node, 'PRIORVALUE') ? `PRIORVALUE(${pathOf(node.arguments[0])})` : pathOf(node));

function asks(node, name) {
  const blank = call(node, 'ISBLANK');
  if (blank) return text(blank[0]) === name;
  return node.type === 'BinaryExpression' && node.operator === '>' && text(node.left) === name && node.right.value === 0;
}

/** Literals that a picklist is compared with must be among its values. */
function literals(tree, org, object, say) {
  const values = (node) => {
    const prior = call(node, 'PRIORVALUE') ?? call(node, 'TEXT');
    const inner = prior ? prior[0] : node;
    const path = pathOf(call(inner, 'PRIORVALUE')?.[0] ?? inner)?.replace(/^\$Record\./, '');
    return path && object ? { path, set: org.find(object, path)?.values } : {};
  };
  const compare = (node, literal) => {
    const { path, set } = values(node);
    if (set && literal?.type === 'Literal' && literal.value !== '' && !set.has(literal.value)) say(`${path} has no value ${literal.value}`);
  };
  for (const node of nodes(tree)) {
    const pair = call(node, 'ISPICKVAL') ?? call(node, 'INCLUDES');
    if (pair) compare(pair[0], pair[1]);
    const cases = call(node, 'CASE');
    if (cases) for (let i = 1; i + 1 < cases.length; i += 2) compare(cases[0], cases[i]);
    if (node.type === 'BinaryExpression' && COMPARE.has(node.operator)) {
      compare(node.left, node.right);
      compare(node.right, node.left);
    }
  }
}

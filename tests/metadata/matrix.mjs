// The attempt matrix through the shipped formulas, evaluated by sformula.
import fs from 'node:fs';
import { compile, context, parse, ruleTypes } from './lib/formula.mjs';
import { orgOf } from './lib/org.mjs';
import { value } from './lib/xml.mjs';

const read = (name) => JSON.parse(fs.readFileSync(new URL(name, import.meta.url), 'utf8'));
const matrix = read('./matrix.json');
/** Codes by object, write, state and position of `who`. */
const expected = Object.fromEntries(Object.entries(read('./matrix_expected.json')).map(([object, writes]) => [object, unfold(writes)]));

function unfold(writes) {
  return Object.fromEntries(Object.entries(writes).map(([write, rows]) => [
    write,
    Object.fromEntries(Object.entries(rows).flatMap(([row, states]) => states.map((state) => [state, row.split(';').map((it) => it.split(' '))]))),
  ]));
}

const SETTINGS = new Set(['$switches', '$two', '$silent', '$heartbeat']);

/** Every case, once: { object, write, state, who, index, before, after, saver, settings }. */
function* cases(object) {
  const part = matrix[object];
  for (const [write, fields] of Object.entries(part.writes)) {
    for (const [state, overlay] of Object.entries(part.states)) {
      const before = overlay && { ...part.base, ...Object.fromEntries(Object.entries(overlay).filter(([key]) => !SETTINGS.has(key))) };
      for (const [index, [who, saver]] of Object.entries(matrix.who).entries()) {
        const after = { ...(before ?? part.base) };
        for (const [field, it] of Object.entries(fields)) after[field] = written(it, before, saver);
        yield { object, write, state, who, index, before, after, saver, settings: overlay ?? {} };
      }
    }
  }
}

function written(it, before, saver) {
  if (it === null || typeof it !== 'object') return it;
  if ('saver' in it) return saver.user;
  if ('was' in it) return before?.[it.was] ?? null;
  if ('next' in it) return (before?.[it.next] ?? 0) + 1;
  return `${before?.[it.edit] ?? ''}~a1`;
}

const none = (it) => it === undefined || it === null || it === '';
const all = new Map();
const casesOf = (object) => {
  if (!all.has(object)) all.set(object, [...cases(object)]);
  return all.get(object);
};

/** What a name in a rule is worth in one case. */
function valueOf(path, it) {
  if (path === 'ISNEW_') return it.before === null;
  if (path === 'NOW_') return matrix.now;
  if (path === 'TODAY_') return matrix.today;
  if (path.startsWith('Changed_')) {
    const [a, b] = [it.before?.[path.slice(8)], it.after[path.slice(8)]];
    return it.before !== null && !(none(a) && none(b)) && a !== b;
  }
  if (path.startsWith('Prior_')) return (it.before ?? it.after)[path.slice(6)] ?? null;
  if (path.startsWith('$Permission.')) return it.saver.holds.includes(path.slice(12));
  if (path === '$User.Id') return it.saver.user;
  if (path === '$User.AI_Heartbeat_At__c') return it.settings.$heartbeat ?? null;
  if (path.startsWith('$CustomMetadata.')) {
    const field = path.split('.').at(-1);
    if (field === 'Silent_Hours__c') return it.settings.$silent ?? null;
    return field === 'Two_Approvers_Above__c' ? (it.settings.$two ?? null) : (it.settings.$switches ?? []).includes(field);
  }
  if (path.startsWith('$')) throw new Error(`the matrix says nothing of ${path}`);
  return it.after[path] ?? null;
}

const memo = new Map();

/** Findings of one rule over all cases of its object. Rules of the same text are looked at once. */
function ruleFindings(part, org, permissions, blankAsZero) {
  const formula = value(part.root, 'errorConditionFormula') ?? '';
  const key = `${part.object} ${part.name} ${blankAsZero} ${formula}`;
  if (memo.has(key)) return memo.get(key);
  const code = /^AI_GATE_(\d\d)/.exec(part.name)?.[1];
  const found = [];
  memo.set(key, found);
  let compiled;
  try {
    compiled = compile(parse(formula), ruleTypes(org, permissions, part.object), { blankAsZero });
  } catch (error) {
    found.push(`${part.object}.${part.name}: ${error.message.split('\n')[0]}`);
    return found;
  }
  const paths = [...compiled.inputs.keys()];
  const known = new Map();
  for (const it of casesOf(part.object)) {
    const values = paths.map((path) => valueOf(path, it));
    const inputs = JSON.stringify(values);
    if (!known.has(inputs)) known.set(inputs, compiled.evaluate(context(compiled.inputs, (path) => values[paths.indexOf(path)])) === true);
    const fires = known.get(inputs);
    const wanted = expected[it.object][it.write][it.state][it.index].includes(code);
    if (fires !== wanted) found.push(`${part.object}: ${it.who} / ${it.write} / ${it.state}: AI_GATE_${code} ${fires ? 'fires' : 'does not fire'}`);
  }
  return found;
}

export default {
  name: 'matrix',
  run(pkg, { blankAsZero = false } = {}) {
    const org = orgOf(pkg);
    const permissions = pkg.names('CustomPermission');
    const findings = [];
    let looked = 0;
    for (const object of ['Lead', 'Opportunity']) {
      const rules = pkg.of('ValidationRule').filter((it) => it.object === object);
      const wanted = new Set(Object.values(expected[object]).flatMap((states) => Object.values(states).flat(2)).filter(Boolean));
      for (const code of wanted) {
        const active = rules.filter((it) => it.name.startsWith(`AI_GATE_${code}`) && value(it.root, 'active') === 'true');
        if (!active.length) findings.push(`${object}: no active rule AI_GATE_${code}, which cases ask for`);
      }
      for (const part of rules) findings.push(...ruleFindings(part, org, permissions, blankAsZero));
      looked += casesOf(object).length;
    }
    return { looked, findings };
  },
};

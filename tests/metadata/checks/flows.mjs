// Flows: every name means something of the right type, every path leads somewhere, and the run mode is the user's.
import { child, children, value, walk } from '../lib/xml.mjs';
import { orgOf } from '../lib/org.mjs';
import { flowOf, NODES, RESOURCES, resolve } from '../lib/flow.mjs';

/** May stand before a save; a query or an assignment may, a write may not. */
const BEFORE_SAVE = new Set(['assignments', 'decisions', 'loops', 'recordLookups', 'customErrors', 'collectionProcessors']);
const WRITES = new Set(['recordCreates', 'recordUpdates', 'recordDeletes', 'actionCalls']);

export default {
  name: 'flows',
  run(pkg) {
    const org = orgOf(pkg);
    const permissions = pkg.names('CustomPermission');
    const findings = [];
    const flows = new Map(pkg.of('Flow').map((it) => [it.name, it]));
    for (const part of flows.values()) {
      const say = (element, message) => findings.push(`${part.path}:${element.line}: ${message}`);
      const world = { part, org, permissions, flows, pkg, flow: flowOf(part), say };
      shape(world);
      graph(world);
      for (const it of walk(part.root)) references(it, world);
      for (const it of part.root.children) node(it, world);
    }
    return { looked: flows.size, findings };
  },
};

function shape({ part, say }) {
  const { root } = part;
  const type = value(root, 'processType');
  const start = child(root, 'start');
  if (value(root, 'status') !== 'Active' && type !== 'ApprovalWorkflow') say(root, 'the flow is not active');
  if (!['AutoLaunchedFlow', 'Flow', 'ApprovalWorkflow'].includes(type)) say(root, `flows of type ${type} are not used here`);
  const trigger = value(start, 'triggerType');
  const mode = value(root, 'runInMode');
  if (!trigger && type !== 'ApprovalWorkflow' && mode !== 'DefaultMode') say(root, `runInMode is ${mode}: only DefaultMode obeys the user's field security`);
  if (trigger && mode && mode !== 'DefaultMode') say(root, `runInMode is ${mode}`);
  if (trigger && !value(start, 'object')) say(start, 'a record trigger needs an object');
  if (trigger && !value(start, 'recordTriggerType')) say(start, 'recordTriggerType is missing');
  if (!trigger && value(start, 'recordTriggerType')) say(start, 'recordTriggerType without triggerType');
  if (!child(start ?? root, 'connector') && !child(start ?? root, 'scheduledPaths') && !child(root, 'startElementReference')) say(root, 'nothing follows the start');
  if (trigger === 'RecordBeforeSave') {
    for (const it of root.children) if (NODES.includes(it.name) && !BEFORE_SAVE.has(it.name)) say(it, `${it.name} may not stand in a flow before the save`);
    if (!value(root, 'triggerOrder')) say(root, 'triggerOrder is missing');
  }
  if (type === 'Flow' && !children(root, 'screens').length) say(root, 'a screen flow without a screen');
  if (type !== 'Flow' && type !== 'ApprovalWorkflow' && children(root, 'screens').length) say(root, 'screens in a flow that nobody sees');
}

/** Connectors end at elements, and every element is reached. */
function graph({ part, flow, say }) {
  const names = new Map();
  for (const it of part.root.children) {
    if (![...NODES, ...RESOURCES].includes(it.name)) continue;
    const name = value(it, 'name');
    if (names.has(name)) say(it, `the name ${name} stands twice`);
    if (flow.screenFields.has(name)) say(it, `a screen field is also named ${name}`);
    if (!/^[A-Za-z]\w*$/.test(name ?? '') || name.includes('__')) say(it, `${name} is no name of an element`);
    names.set(name, it);
  }
  const reached = new Set();
  const queue = [...targets(flow.start ?? { children: [] })];
  const startReference = value(part.root, 'startElementReference');
  if (startReference) queue.push(startReference);
  for (const it of walk(part.root)) if (it.name === 'targetReference' && !flow.nodes.has(it.text.trim())) say(it, `the connector leads to ${it.text.trim()}, which does not exist`);
  while (queue.length) {
    const name = queue.pop();
    if (reached.has(name) || !flow.nodes.has(name)) continue;
    reached.add(name);
    queue.push(...targets(flow.nodes.get(name)));
  }
  for (const [name, it] of flow.nodes) if (!reached.has(name)) say(it, `nothing leads to ${name}`);
  const used = new Set([...walk(part.root)].filter((it) => !it.children.length).flatMap((it) => [...it.text.matchAll(/[A-Za-z_$]\w*/g)].map((m) => m[0])));
  for (const [name, it] of flow.resources) {
    const said = [...walk(part.root)].filter((e) => e !== child(it, 'name') && !e.children.length && new RegExp(`\\b${name}\\b`).test(e.text)).length;
    const asked = value(it, 'isInput') === 'true' || value(it, 'isOutput') === 'true';
    if ((!used.has(name) || !said) && !asked) say(it, `${it.name} ${name} is never used`);
  }
}

const targets = (element) => [...walk(element)].filter((it) => it.name === 'targetReference').map((it) => it.text.trim());

const REFERENCE = new Set(['elementReference', 'leftValueReference', 'assignToReference', 'collectionReference', 'inputReference', 'outputReference', 'choiceReferences', 'defaultSelectedChoiceReference']);

/** Names, also inside of texts with {!..}. */
function references(it, world) {
  const text = it.text.trim();
  if (REFERENCE.has(it.name) && !it.children.length) known(it, text, world);
  if (it.name !== 'expression' && it.name !== 'filterFormula' && it.name !== 'formulaExpression') {
    for (const [, path] of text.matchAll(/\{!\s*([$\w.]+)\s*\}/g)) known(it, path, world);
  }
  if (it.name === 'flowName' && !world.flows.has(text)) world.say(it, `there is no flow ${text}`);
}

function known(it, path, { part, org, permissions, flows, flow, say }) {
  if (it.name === 'choiceReferences' || it.name === 'defaultSelectedChoiceReference') {
    if (!['choices', 'dynamicChoiceSets'].includes(flow.resources.get(path)?.name)) say(it, `there is no choice ${path}`);
    return undefined;
  }
  const found = resolve(part, org, permissions, path, flows);
  if (!found) say(it, `${path} does not exist`);
  return found;
}

function node(it, world) {
  const { org, say } = world;
  const object = value(it, 'object');
  if (it.name === 'recordLookups' || it.name === 'recordUpdates' || it.name === 'recordCreates') {
    const target = object ?? (value(it, 'inputReference') === '$Record' ? world.flow.object : undefined);
    if (object && !org.objects.has(object)) say(it, `there is no object ${object}`);
    for (const part of it.children) {
      const field = part.name === 'queriedFields' ? part.text.trim() : ['filters', 'inputAssignments'].includes(part.name) ? value(part, 'field') : undefined;
      if (field === undefined || !target || !org.objects.has(target)) continue;
      const what = org.find(target, field);
      if (!what) say(part, `${target} has no field ${field}`);
      else fits(part, what, `${target}.${field}`, world);
    }
    if (it.name === 'recordUpdates' && object && !children(it, 'filters').length) say(it, 'updates every record of the object');
    if (it.name === 'recordLookups' && !children(it, 'filters').length) say(it, 'reads every record of the object');
  }
  // In a flow after the save a fault is mailed to the admin; there is nobody to show it to.
  const behind = value(world.flow.start, 'triggerType') === 'RecordAfterSave' && it.name === 'actionCalls';
  if (WRITES.has(it.name) && !behind && !child(it, 'faultConnector')) say(it, `${value(it, 'name')} has no fault path`);
  if (it.name === 'assignments') for (const item of children(it, 'assignmentItems')) assignment(item, world);
  if (it.name === 'decisions') decision(it, world);
  if (it.name === 'subflows') subflow(it, world);
  if (it.name === 'dynamicChoiceSets') choices(it, world);
  if (it.name === 'actionCalls') action(it, world);
}

/** A literal or reference that is written to or compared with a field. */
function fits(it, field, label, world) {
  const { part, org, permissions, flows, say } = world;
  const right = child(it, 'value');
  const literal = right?.children[0];
  if (!literal) return;
  const operator = value(it, 'operator');
  if (operator === 'IsNull' || operator === 'IsChanged' || operator === 'IsBlank' || operator === 'In') return;
  const text = literal.text.trim();
  if (literal.name === 'stringValue' && field.values && text && !text.includes('{!') && !text.split(';').every((it) => field.values.has(it))) say(literal, `${label} has no value ${text}`);
  const kind = { stringValue: 'string', booleanValue: 'boolean', numberValue: 'number', dateValue: 'date', dateTimeValue: 'datetime' }[literal.name] ?? (literal.name === 'elementReference' ? resolve(part, org, permissions, text, flows)?.type : undefined);
  if (kind && !compatible(kind, field.type)) say(literal, `${label} is a ${field.type} and takes no ${kind}`);
}

const CLASS = { string: 's', id: 's', picklist: 's', multipicklist: 's', number: 'n', currency: 'n', percent: 'n', boolean: 'b', date: 'd', datetime: 't' };
const compatible = (a, b) => !CLASS[a] || !CLASS[b] || CLASS[a] === CLASS[b];

function assignment(item, world) {
  const { part, org, permissions, flows, say } = world;
  const path = value(item, 'assignToReference') ?? '';
  const target = resolve(part, org, permissions, path, flows);
  if (path.startsWith('$Record__Prior') || path.startsWith('$Permission') || path.startsWith('$Flow')) say(item, `${path} cannot be assigned`);
  if (target && !target.collection && value(item, 'operator') === 'Assign') fits(item, target, path, world);
  if (target && ['Add', 'Subtract'].includes(value(item, 'operator')) && target.type === 'boolean') say(item, `${path} cannot be added to`);
}

function decision(it, world) {
  const { part, org, permissions, flows, say } = world;
  if (!value(it, 'defaultConnectorLabel')) say(it, 'the other outcome has no label');
  for (const rule of children(it, 'rules')) {
    const conditions = children(rule, 'conditions');
    if (!conditions.length) say(rule, 'an outcome without conditions');
    logic(rule, 'conditionLogic', conditions.length, say);
    for (const condition of conditions) {
      const found = resolve(part, org, permissions, value(condition, 'leftValueReference') ?? '', flows);
      if (!found) continue;
      const right = child(condition, 'rightValue');
      const operator = value(condition, 'operator');
      const flag = ['IsNull', 'IsChanged', 'IsBlank', 'IsEmpty', 'WasVisited', 'WasSet', 'HasError'].includes(operator);
      if (flag && right?.children[0]?.name !== 'booleanValue') say(condition, `${operator} compares with a boolean`);
      if (!flag && !right) say(condition, `${operator} needs a value`);
      if (!flag && right && !found.collection && found.type !== 'object') fits({ children: [{ ...right, name: 'value' }] }, found, value(condition, 'leftValueReference'), world);
    }
  }
  const names = children(it, 'rules').map((rule) => value(rule, 'name'));
  for (const name of names) if (names.filter((other) => other === name).length > 1) say(it, `the outcome ${name} stands twice`);
}

/** `1 AND (2 OR 3)` names conditions that exist, and all of them. */
function logic(it, element, count, say) {
  const text = value(it, element) ?? 'and';
  if (/^(and|or)$/i.test(text)) return;
  const named = new Set([...text.matchAll(/\d+/g)].map((m) => Number(m[0])));
  if (/[^\d\s()ANDORNTandornt]/.test(text)) say(it, `${text} is no logic`);
  for (let i = 1; i <= count; i += 1) if (!named.has(i)) say(it, `condition ${i} stands in no logic`);
  for (const n of named) if (n < 1 || n > count) say(it, `the logic names condition ${n} of ${count}`);
}

function subflow(it, world) {
  const target = world.flows.get(value(it, 'flowName'));
  if (!target) return;
  const variables = flowOf(target).resources;
  for (const input of children(it, 'inputAssignments')) {
    const variable = variables.get(value(input, 'name'));
    if (!variable || value(variable, 'isInput') !== 'true') world.say(input, `${target.name} takes no ${value(input, 'name')}`);
    else fits(input, { type: { String: 'string', Boolean: 'boolean', Number: 'number', Currency: 'number', Date: 'date', DateTime: 'datetime' }[value(variable, 'dataType')] ?? 'unknown' }, value(input, 'name'), world);
  }
}

function choices(it, { org, say }) {
  const object = value(it, 'picklistObject') ?? value(it, 'object');
  const field = value(it, 'picklistField');
  if (field && !['picklist', 'multipicklist'].includes(org.find(object, field)?.type)) say(it, `${object}.${field} is no picklist`);
  for (const name of ['displayField', 'valueField', 'sortField']) if (value(it, name) && object && !field && !org.find(object, value(it, name))) say(it, `${object} has no field ${value(it, name)}`);
}

function action(it, { pkg, say }) {
  const type = value(it, 'actionType');
  const names = children(it, 'inputParameters').map((p) => value(p, 'name'));
  if (type === 'customNotificationAction') {
    for (const needed of ['customNotifTypeId', 'recipientIds', 'title', 'body', 'targetId']) if (!names.includes(needed)) say(it, `the notification lacks ${needed}`);
  } else if (type === 'apex') {
    if (!pkg.names('ApexClass').has(value(it, 'actionName'))) say(it, `there is no Apex class ${value(it, 'actionName')}`);
  } else say(it, `actions of type ${type} are not used here`);
}

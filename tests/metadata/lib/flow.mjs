// What the names in a flow stand for.
import { child, children, value, walk } from './xml.mjs';

const SYSTEM = {
  '$Flow.CurrentDateTime': 'datetime', '$Flow.CurrentDate': 'date', '$Flow.InterviewGuid': 'string', '$Flow.FaultMessage': 'string', '$Flow.CurrentRecord': 'string', '$Flow.InterviewStartTime': 'datetime',
  '$GlobalConstant.True': 'boolean', '$GlobalConstant.False': 'boolean', '$GlobalConstant.EmptyString': 'string', '$Label': 'string',
};
const DATA = { String: 'string', Boolean: 'boolean', Number: 'number', Currency: 'number', Date: 'date', DateTime: 'datetime', Picklist: 'string', Multipicklist: 'string' };
/** Elements that a connector may lead to. */
export const NODES = ['actionCalls', 'apexPluginCalls', 'assignments', 'collectionProcessors', 'customErrors', 'decisions', 'loops', 'orchestratedStages', 'recordCreates', 'recordDeletes', 'recordLookups', 'recordRollbacks', 'recordUpdates', 'screens', 'steps', 'subflows', 'transforms', 'waits'];
export const RESOURCES = ['choices', 'constants', 'dynamicChoiceSets', 'formulas', 'stages', 'textTemplates', 'variables'];

const memo = new WeakMap();

/** { nodes, resources, screenFields: Map name -> element, object, trigger } of a flow. */
export function flowOf(part) {
  if (!memo.has(part.root)) {
    const named = (kinds) => new Map(part.root.children.filter((it) => kinds.includes(it.name)).map((it) => [value(it, 'name'), it]));
    const start = child(part.root, 'start');
    const screenFields = new Map();
    for (const screen of children(part.root, 'screens')) for (const it of walk(screen)) if (it.name === 'fields' && value(it, 'name')) screenFields.set(value(it, 'name'), it);
    memo.set(part.root, { nodes: named(NODES), resources: named(RESOURCES), screenFields, object: value(start, 'object'), start });
  }
  return memo.get(part.root);
}

/** Kind of what `path` names: { type, object?, collection? }, or undefined when there is no such thing. */
export function resolve(part, org, permissions, path, flows) {
  const flow = flowOf(part);
  const [head, ...rest] = path.split('.');
  const tail = rest.join('.');
  if (head === '$Record' || head === '$Record__Prior') return flow.object ? ofObject(org, flow.object, tail, false) : undefined;
  if (head === '$Permission') return permissions.has(tail) ? { type: 'boolean' } : undefined;
  if (head === '$User') return org.find('User', tail);
  if (head === '$CustomMetadata') return rest.length === 3 ? org.metadata(rest[0].replace(/__mdt$/, '') + '__mdt', rest[1], rest[2]) : undefined;
  if (head.startsWith('$')) return SYSTEM[path] ? { type: SYSTEM[path] } : undefined;
  const node = flow.nodes.get(head);
  if (node) return ofNode(node, org, tail, part, permissions, flows);
  const resource = flow.resources.get(head);
  if (resource) return ofResource(resource, org, tail);
  const field = flow.screenFields.get(head);
  if (field && !tail) return { type: DATA[value(field, 'dataType')] ?? 'string', collection: false };
  return undefined;
}

function ofObject(org, object, tail, collection) {
  if (!tail) return { type: 'object', object, collection };
  return collection ? undefined : org.find(object, tail);
}

function ofNode(node, org, tail, part, permissions, flows) {
  if (node.name === 'recordLookups') return ofObject(org, value(node, 'object'), tail, value(node, 'getFirstRecordOnly') !== 'true');
  if (node.name === 'recordCreates' || node.name === 'actionCalls') return { type: 'string' };
  if (node.name === 'loops') {
    const over = resolve(part, org, permissions, value(node, 'collectionReference') ?? '', flows);
    return over?.object ? ofObject(org, over.object, tail, false) : over && !tail ? { type: over.type } : undefined;
  }
  if (node.name === 'subflows') {
    const target = flows?.get(value(node, 'flowName'));
    const output = target && flowOf(target).resources.get(tail);
    if (!flows) return { type: 'string' };
    return output && value(output, 'isOutput') === 'true' ? ofResource(output, org, '') : undefined;
  }
  if (node.name === 'collectionProcessors') {
    const over = resolve(part, org, permissions, value(node, 'collectionReference') ?? '', flows);
    return over && !tail ? over : undefined;
  }
  return tail ? undefined : { type: 'boolean' };
}

function ofResource(resource, org, tail) {
  const collection = value(resource, 'isCollection') === 'true';
  if (value(resource, 'dataType') === 'SObject') return ofObject(org, value(resource, 'objectType'), tail, collection);
  if (tail) return undefined;
  return { type: resource.name === 'textTemplates' ? 'string' : (DATA[value(resource, 'dataType')] ?? 'unknown'), collection };
}

/** For formulas: a name's sformula type. Picklists are text in flow formulas, except on the triggering record. */
export function flowTypes(part, org, permissions) {
  const flow = flowOf(part);
  return (path) => {
    if (!path.includes('.') && flow.object && !flow.resources.has(path) && !flow.nodes.has(path) && org.find(flow.object, path)) return org.find(flow.object, path).type;
    const found = resolve(part, org, permissions, path, undefined);
    if (!found || found.collection || found.type === 'object') return undefined;
    const text = ['picklist', 'multipicklist'].includes(found.type) && !path.startsWith('$Record');
    return text ? 'string' : found.type;
  };
}

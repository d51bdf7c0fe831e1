// What files outside of rules, flows and permission sets name exists, with values that it can take.
import { child, children, value, walk } from '../lib/xml.mjs';
import { orgOf } from '../lib/org.mjs';
import { flowOf } from '../lib/flow.mjs';
import { filter } from '../lib/filter.mjs';

/** Columns of list views that are named as in reports. */
const COLUMNS = {
  Lead: new Set(['FULL_NAME', 'LEAD.COMPANY', 'LEAD.STATUS', 'CORE.USERS.ALIAS', 'LEAD.CREATED_DATE', 'LEAD.LAST_UPDATE', 'LEAD.RATING', 'LEAD.PHONE', 'LEAD.EMAIL', 'LEAD.TITLE', 'LEAD.OWNER', 'LEAD.UNREAD', 'LEAD.LEADSOURCE', 'LEAD.STATE']),
  Opportunity: new Set(['OPPORTUNITY.NAME', 'ACCOUNT.NAME', 'OPPORTUNITY.STAGE_NAME', 'OPPORTUNITY.CLOSE_DATE', 'OPPORTUNITY.AMOUNT', 'OPPORTUNITY.NEXT_STEP', 'CORE.USERS.ALIAS', 'OPPORTUNITY.CREATED_DATE', 'OPPORTUNITY.LAST_UPDATE', 'OPPORTUNITY.CLOSED', 'OPPORTUNITY.PROBABILITY', 'OPPORTUNITY.TYPE']),
};
/** Lookups that a report shows by name. */
const RELATED = new Set(['Owner', 'CreatedBy', 'LastModifiedBy', 'Account']);
const CHECKS = { CustomMetadata: record, PlatformEventChannelMember: member, QuickAction: quickAction, ListView: listView, FieldSet: fieldSet, CompactLayout: compact, GenAiFunction: genAi, Queue: queue, FlexiPage: flexipage, ReportType: reportType, Report: report, Dashboard: dashboard, PlatformEventChannel: channel, WebLink: webLink, CustomNotificationType: notice };

export default {
  name: 'references',
  run(pkg) {
    const org = orgOf(pkg);
    const findings = [];
    let looked = 0;
    for (const part of org.missingObjects) findings.push(`${part.path}: there is no object ${part.object}`);
    for (const part of pkg.parts) {
      if (!CHECKS[part.type]) continue;
      looked += 1;
      CHECKS[part.type](part, { pkg, org, say: (message) => findings.push(`${part.path}: ${message}`) });
    }
    for (const part of pkg.of('CustomField')) {
      const to = value(part.root, 'referenceTo');
      looked += 1;
      if (to && !org.objects.has(to)) findings.push(`${part.path}: there is no object ${to}`);
    }
    const cls = new Set(pkg.parts.filter((it) => it.kind.suffix === '.cls').map((it) => it.name));
    for (const name of pkg.names('ApexClass')) if (!cls.has(name)) findings.push(`classes/${name}: there is no source`);
    for (const name of cls) if (!pkg.names('ApexClass').has(name)) findings.push(`classes/${name}: there is no -meta.xml`);
    return { looked, findings };
  },
};

function record(part, { org, say }) {
  const type = `${part.name.split('.')[0]}__mdt`;
  const values = children(part.root, 'values');
  const object = org.objects.get(type);
  if (!object) return say(`there is no type ${type}`);
  for (const it of values) {
    const name = value(it, 'field');
    const field = object.get(name);
    const stated = child(it, 'value')?.attrs['xsi:type'];
    const fits = { string: ['xsd:string'], boolean: ['xsd:boolean'], number: ['xsd:double', 'xsd:int'], currency: ['xsd:double'], date: ['xsd:date'], datetime: ['xsd:dateTime'] }[field?.type];
    if (!field) say(`${type} has no field ${name}`);
    else if (stated && !fits?.includes(stated)) say(`${name} is a ${field.type}, the value a ${stated}`);
    const text = child(it, 'value')?.text.trim() ?? '';
    if (field?.length && text.length > field.length) say(`${name} has ${text.length} characters of ${field.length}`);
    if (values.filter((other) => value(other, 'field') === name).length > 1) say(`${name} stands twice`);
  }
  const get = (name) => child(values.find((it) => value(it, 'field') === name), 'value')?.text.trim();
  if (type === 'AI_Transition_Rule__mdt') {
    if (!org.find(get('Object__c') ?? '', get('Field__c') ?? '')) say(`there is no field ${get('Object__c')}.${get('Field__c')}`);
    const least = Number(get('Min_Confidence__c') || 0);
    if (!(least >= 0 && least <= 1)) say('Min_Confidence__c is 0 to 1');
  }
  if (type === 'AI_Gate_Setting__mdt') for (const [name, field] of object) if (field.type === 'boolean' && get(name) !== 'false') say(`${name} is shipped off`);
  for (const [name, field] of object) if (field.required && !get(name)) say(`${name} is required`);
  return undefined;
}

function channel(part, { say }) {
  if (!part.name.endsWith('__chn')) say('a channel is named ..__chn');
  if (value(part.root, 'channelType') !== 'data') say('channelType is not data');
}

function member(part, { pkg, org, say }) {
  const entity = value(part.root, 'selectedEntity') ?? '';
  const object = entity.replace(/ChangeEvent$/, '');
  const channelName = value(part.root, 'eventChannel');
  if (!pkg.names('PlatformEventChannel').has(channelName)) say(`there is no channel ${channelName}`);
  if (!org.objects.has(object) || !entity.endsWith('ChangeEvent')) return say(`${entity} is no change event`);
  if (part.name !== `${channelName?.replace('__chn', '_chn')}_${entity}`) say('the name is not channel and entity');
  const enriched = children(part.root, 'enrichedFields').map((it) => value(it, 'name'));
  if (enriched.length > 10) say('at most 10 fields are enriched');
  for (const name of enriched) if (!org.find(object, name)) say(`${object} has no field ${name}`);
  const text = value(part.root, 'filterExpression') ?? '';
  for (const message of filter(text, (name) => org.find(object, name))) say(`filter: ${message}`);
  if (!/\bAI_Gate_Pending__c = true\b/.test(text)) say('the filter does not let pending records pass');
  return undefined;
}

function quickAction(part, { pkg, org, say }) {
  const target = value(part.root, 'flowDefinition');
  const object = part.name.split('.')[0];
  if (!org.objects.has(object)) say(`there is no object ${object}`);
  if (value(part.root, 'type') !== 'Flow') say('type is not Flow');
  const flow = pkg.of('Flow').find((it) => it.name === target);
  if (!flow) return say(`there is no flow ${target}`);
  if (value(flow.root, 'processType') !== 'Flow') say(`${target} has no screens`);
  const input = flowOf(flow).resources.get('recordId');
  if (value(input, 'isInput') !== 'true') say(`${target} takes no recordId`);
  return undefined;
}

function genAi(part, { pkg, say }) {
  const flow = pkg.of('Flow').find((it) => it.name === value(part.root, 'invocationTarget'));
  if (value(part.root, 'invocationTargetType') !== 'flow') say('invocationTargetType is not flow');
  if (!flow) return say(`there is no flow ${value(part.root, 'invocationTarget')}`);
  for (const [direction, flag] of [['input', 'isInput'], ['output', 'isOutput']]) {
    const at = part.path.replace(/[^/]+$/, `${direction}/schema.json`);
    const wanted = [...flowOf(flow).resources].filter(([, it]) => value(it, flag) === 'true').map(([name]) => name).sort();
    let found;
    try {
      found = Object.keys(JSON.parse(pkg.files.get(at)).properties).sort();
    } catch {
      say(`${direction}/schema.json is missing or no JSON`);
      continue;
    }
    for (const name of found) if (!wanted.includes(name)) say(`${direction}/schema.json names ${name}, which the flow lacks`);
    // An input may be kept from the agent; an output may not.
    if (direction === 'output') for (const name of wanted) if (!found.includes(name)) say(`${direction}/schema.json lacks ${name}`);
  }
  return undefined;
}

function listView(part, { org, say }) {
  const known = (name) => COLUMNS[part.object]?.has(name) || org.find(part.object, name)?.custom;
  const columns = children(part.root, 'columns').map((it) => it.text.trim());
  if (!columns.length) say('shows no columns');
  if (columns.length > 15) say('has more than 15 columns');
  for (const name of columns) if (!known(name)) say(`there is no column ${name}`);
  for (const it of children(part.root, 'filters')) filterItem(it, part.object, known, org, say);
  const logic = value(part.root, 'booleanFilter');
  const count = children(part.root, 'filters').length;
  if (logic) for (const [n] of logic.matchAll(/\d+/g)) if (Number(n) > count || Number(n) < 1) say(`the logic names filter ${n} of ${count}`);
  if (part.object === 'Opportunity' && value(part.root, 'filterScope') === 'Queue') say('opportunities have no queues');
}

function filterItem(it, object, known, org, say) {
  const name = value(it, 'field');
  const field = org.find(object, name ?? '');
  if (!known(name)) return say(`there is no column ${name}`);
  const text = value(it, 'value') ?? '';
  if (field?.values) for (const v of text.split(',').filter(Boolean)) if (!field.values.has(v.trim())) say(`${name} has no value ${v}`);
  if (field?.type === 'boolean' && !['0', '1'].includes(text)) say(`${name} is compared with ${text}`);
  return undefined;
}

function fieldSet(part, { org, say }) {
  const shown = [...children(part.root, 'displayedFields'), ...children(part.root, 'availableFields')].map((it) => value(it, 'field'));
  if (!shown.length) say('shows no fields');
  for (const name of shown) if (!org.find(part.object, name)) say(`${part.object} has no field ${name}`);
}

function compact(part, { org, say }) {
  const shown = children(part.root, 'fields').map((it) => it.text.trim());
  if (!shown.length || shown.length > 10) say('shows 1 to 10 fields');
  for (const name of shown) {
    if (!org.find(part.object, name)) say(`${part.object} has no field ${name}`);
    if (org.find(part.object, name)?.part && ['LongTextArea', 'MultiselectPicklist'].includes(value(org.find(part.object, name).part.root, 'type'))) say(`${name} cannot stand in a compact layout`);
  }
}

function queue(part, { org, pkg, say }) {
  for (const it of children(part.root, 'queueSobject')) {
    const object = value(it, 'sobjectType');
    if (object === 'Opportunity') say('opportunities cannot be owned by a queue');
    else if (!org.objects.has(object)) say(`there is no object ${object}`);
  }
  for (const it of walk(part.root)) if (it.name === 'publicGroup' && !it.children.length && !pkg.names('Group').has(it.text.trim())) say(`there is no group ${it.text.trim()}`);
}

function flexipage(part, { org, pkg, say }) {
  const object = value(part.root, 'sobjectType');
  if (object && !org.objects.has(object)) say(`there is no object ${object}`);
  for (const it of walk(part.root)) {
    const text = it.text.trim();
    if (it.name === 'fieldItem' && text.startsWith('Record.') && !org.find(object, text.slice(7))) say(`${object} has no field ${text.slice(7)}`);
    for (const [, field] of it.children.length ? [] : text.matchAll(/\{!Record\.(\w+)\}/g)) if (!org.find(object, field)) say(`${object} has no field ${field}`);
  }
  const names = [...walk(part.root)].filter((it) => it.name === 'identifier').map((it) => it.text.trim());
  for (const name of names) if (names.filter((it) => it === name).length > 1) say(`identifier ${name} stands twice`);
  for (const it of walk(part.root)) {
    if (it.name === 'componentInstanceProperties' && value(it, 'name') === 'flowName' && !pkg.names('Flow').has(value(it, 'value'))) say(`there is no flow ${value(it, 'value')}`);
  }
}

function reportType(part, { org, say }) {
  const base = value(part.root, 'baseObject');
  if (!org.objects.has(base)) return say(`there is no object ${base}`);
  for (const it of walk(part.root)) {
    if (it.name !== 'columns') continue;
    const table = value(it, 'table');
    const name = value(it, 'field');
    if (table === base && !RELATED.has(name) && !org.find(base, name)) say(`${base} has no field ${name}`);
  }
  return undefined;
}

function report(part, { org, pkg, say }) {
  const custom = (value(part.root, 'reportType') ?? '').replace(/__c$/, '');
  const known = pkg.of('ReportType').find((it) => it.name === custom);
  if (!known && !['LeadList', 'Opportunity'].includes(custom)) say(`there is no report type ${custom}`);
  const base = known ? value(known.root, 'baseObject') : custom === 'LeadList' ? 'Lead' : 'Opportunity';
  const grouped = [...children(part.root, 'groupingsDown'), ...children(part.root, 'groupingsAcross')].map((it) => value(it, 'field'));
  const columns = children(part.root, 'columns').map((it) => value(it, 'field'));
  for (const name of grouped) if (columns.includes(name)) say(`${name} is a grouping and a column`);
  const named = [...grouped, ...columns, ...[...walk(part.root)].filter((it) => it.name === 'column').map((it) => it.text.trim())];
  for (const name of named) {
    const [object, field] = (name ?? '').includes('.') ? name.split('.') : [base, name];
    if (/__c$/.test(field ?? '') && !org.find(object.split('$')[0] === base ? base : object, field.split('$').at(-1))) say(`there is no column ${name}`);
    const dollar = /^(\w+)\$(\w+)$/.exec(name ?? '');
    if (dollar && !RELATED.has(dollar[2]) && !org.find(dollar[1], dollar[2])) say(`${dollar[1]} has no field ${dollar[2]}`);
  }
  if (value(part.root, 'scope') === 'organization' && custom === 'LeadList') say('the scope of a lead report is org');
}

function dashboard(part, { pkg, say }) {
  const reports = pkg.names('Report');
  for (const it of walk(part.root)) if (it.name === 'report' && !it.children.length && !reports.has(it.text.trim())) say(`there is no report ${it.text.trim()}`);
}

function webLink(part, { pkg, say }) {
  const url = value(part.root, 'url') ?? '';
  const flow = /\/flow\/(\w+)/.exec(url)?.[1];
  if (flow && !pkg.names('Flow').has(flow)) say(`there is no flow ${flow}`);
}

function notice(part, { say }) {
  if (value(part.root, 'customNotifTypeName') !== part.name) say('customNotifTypeName is not the name of the file');
  if (value(part.root, 'desktop') !== 'true' && value(part.root, 'mobile') !== 'true') say('is delivered nowhere');
}

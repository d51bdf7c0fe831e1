// What a deploy asks of fields and value sets beyond the schema, and what we ask: described, helped, classified.
import { child, children, value } from '../lib/xml.mjs';

const NAME = /^(?!.*__.*__c)[A-Za-z](?!.*_$)\w*__c$/;
const NEEDS = {
  Text: ['length'], LongTextArea: ['length', 'visibleLines'], Checkbox: ['defaultValue'], Number: ['precision', 'scale'], Currency: ['precision', 'scale'],
  Lookup: ['referenceTo', 'relationshipName', 'deleteConstraint'], Picklist: ['valueSet'], MultiselectPicklist: ['valueSet', 'visibleLines'], Date: [], DateTime: [],
};
const LIMIT = { Text: [1, 255], LongTextArea: [256, 131072] };

export default {
  name: 'fields',
  run(pkg) {
    const findings = [];
    const sets = pkg.names('GlobalValueSet');
    const fields = pkg.of('CustomField');
    for (const part of fields) one(part, sets, (message) => findings.push(`${part.path}: ${message}`));
    for (const part of pkg.of('GlobalValueSet')) values(children(part.root, 'customValue'), (message) => findings.push(`${part.path}: ${message}`));
    for (const object of new Set(fields.map((it) => it.object))) {
      const tracked = fields.filter((it) => it.object === object && value(it.root, 'trackHistory') === 'true').length;
      if (tracked > 5) findings.push(`${object}: history of ${tracked} fields is tracked; leave the customer 15 of the 20`);
      const indexed = fields.filter((it) => it.object === object && value(it.root, 'externalId') === 'true').length;
      if (indexed > 3) findings.push(`${object}: ${indexed} external ids`);
      const relations = fields.filter((it) => it.object === object).map((it) => value(it.root, 'relationshipName')).filter(Boolean);
      for (const name of relations) if (relations.filter((it) => it === name).length > 1) findings.push(`${object}: relationship ${name} stands on two fields`);
    }
    return { looked: fields.length, findings };
  },
};

function one(part, sets, say) {
  const { root, name, object } = part;
  const type = value(root, 'type');
  const get = (element) => value(root, element);
  if (!NAME.test(name)) say(`${name} is no name of a custom field`);
  if ((get('label') ?? '').length > 40 || !get('label')) say('label must have 1 to 40 characters');
  if (!NEEDS[type]) return say(`fields of type ${type} are not used in this package`);
  for (const needed of NEEDS[type]) if (child(root, needed) === undefined) say(`${type} needs ${needed}`);
  for (const foreign of ['length', 'visibleLines', 'precision', 'scale', 'referenceTo', 'valueSet']) {
    const known = [...(NEEDS[type] ?? [])];
    if (child(root, foreign) && !known.includes(foreign)) say(`${type} takes no ${foreign}`);
  }
  const [least, most] = LIMIT[type] ?? [];
  if (least !== undefined && !(Number(get('length')) >= least && Number(get('length')) <= most)) say(`length of ${type} is ${least} to ${most}`);
  if (type === 'Number' || type === 'Currency') digits(Number(get('precision')), Number(get('scale')), say);
  if (get('required') === 'true' && !object.endsWith('__mdt')) say('our fields are never required: permission sets could not name it');
  if ((get('unique') === 'true' || get('externalId') === 'true') && !['Text', 'Number'].includes(type)) say(`${type} cannot be unique or external id`);
  if (!(get('description') ?? '').trim() || (get('description') ?? '').length > 1000) say('description must have 1 to 1000 characters');
  if (!object.endsWith('__mdt')) audience(get, say);
  if (type === 'Lookup') lookup(get, say);
  if (type === 'Checkbox' && !['true', 'false'].includes(get('defaultValue'))) say('default of a checkbox is true or false');
  if (child(root, 'valueSet')) valueSet(child(root, 'valueSet'), sets, say);
}

function digits(precision, scale, say) {
  if (!(precision >= 1 && precision <= 18)) say('precision is 1 to 18');
  if (!(scale >= 0 && scale <= precision)) say('scale is 0 to the precision');
}

function audience(get, say) {
  const help = get('inlineHelpText') ?? '';
  if (!help || help.length > 510) say('inlineHelpText must have 1 to 510 characters');
  if (!get('securityClassification')) say('securityClassification is missing');
}

function lookup(get, say) {
  if (!['SetNull', 'Restrict', 'Cascade'].includes(get('deleteConstraint'))) say('deleteConstraint is SetNull, Restrict or Cascade');
  if (!/^[A-Za-z]\w*$/.test(get('relationshipName') ?? '')) say('relationshipName is no name');
}

function valueSet(set, sets, say) {
  const named = value(set, 'valueSetName');
  const own = child(set, 'valueSetDefinition');
  if (Boolean(named) === Boolean(own)) say('valueSetName or valueSetDefinition, one of the two');
  if (named?.endsWith('__gvs')) say('valueSetName is the bare name');
  if (named && !sets.has(named)) say(`there is no global value set ${named}`);
  if (value(set, 'restricted') !== 'true') say('value sets of ours are restricted');
  if (own) values(children(own, 'value'), say);
}

function values(list, say) {
  const names = list.map((it) => value(it, 'fullName'));
  if (!names.length) say('a value set without values');
  for (const name of names) if (names.filter((it) => it === name).length > 1) say(`value ${name} stands twice`);
  for (const name of names) if (!name || name.length > 255) say(`value ${name} must have 1 to 255 characters`);
  if (list.filter((it) => value(it, 'default') === 'true').length > 1) say('two values are the default');
}

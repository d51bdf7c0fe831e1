// The org as it would be after the deploy: standard fields that we name, and what the package adds.
import fs from 'node:fs';
import { child, children, value } from './xml.mjs';

const STANDARD = JSON.parse(fs.readFileSync(new URL('./standard.json', import.meta.url), 'utf8'));
const TYPES = {
  Text: 'string', TextArea: 'string', LongTextArea: 'string', Html: 'string', Email: 'string', Phone: 'string', Url: 'string', MetadataRelationship: 'string', EntityDefinition: 'string',
  Number: 'number', Currency: 'currency', Percent: 'percent', Checkbox: 'boolean', Date: 'date', DateTime: 'datetime', Lookup: 'id',
  Picklist: 'picklist', MultiselectPicklist: 'multipicklist',
};
/** A page layout takes no field-level security for these: they are always required. */
export const REQUIRED = new Set(['Lead.Status', 'Lead.LastName', 'Lead.Company', 'Lead.OwnerId', 'Opportunity.StageName', 'Opportunity.CloseDate', 'Opportunity.Name', 'Opportunity.OwnerId']);

const memo = new WeakMap();

/** The org that `pkg` would make. */
export function orgOf(pkg) {
  if (!memo.has(pkg)) memo.set(pkg, new Org(pkg));
  return memo.get(pkg);
}

class Org {
  constructor(pkg) {
    this.objects = new Map(Object.entries(STANDARD).map(([name, fields]) => [name, new Map(Object.entries(fields).map(([f, type]) => [f, { type }]))]));
    const own = (object) => object.endsWith('__mdt') ? ['DeveloperName', 'MasterLabel'] : ['Name'];
    for (const part of pkg.of('CustomObject')) this.objects.set(part.object, new Map([...own(part.object).map((name) => [name, { type: 'string' }]), ['Id', { type: 'id' }]]));
    this.valueSets = new Map(pkg.of('GlobalValueSet').map((part) => [part.name, new Set(children(part.root, 'customValue').map((it) => value(it, 'fullName')))]));
    this.missingObjects = [];
    for (const part of pkg.of('CustomField')) this.field(part);
    this.permissions = [...pkg.names('CustomPermission')].sort();
    this.records = new Map(pkg.of('CustomMetadata').map((part) => [part.name, part]));
  }

  field(part) {
    const set = child(part.root, 'valueSet');
    const named = value(set, 'valueSetName');
    const own = children(child(set, 'valueSetDefinition'), 'value').map((it) => value(it, 'fullName'));
    const object = this.objects.get(part.object);
    if (!object) this.missingObjects.push(part);
    object?.set(part.name, {
      type: TYPES[value(part.root, 'type')] ?? 'unknown',
      custom: true,
      part,
      length: Number(value(part.root, 'length') ?? 0),
      to: value(part.root, 'referenceTo'),
      required: value(part.root, 'required') === 'true',
      restricted: value(set, 'restricted') !== 'false',
      values: named ? this.valueSets.get(named) : own.length ? new Set(own) : undefined,
    });
  }

  /** The same text for orgs in which every name means the same. */
  get signature() {
    this.signed ??= JSON.stringify([...this.objects].map(([name, fields]) => [name, [...fields].map(([f, it]) => [f, it.type, it.to, it.values && [...it.values]])]).concat([...this.records.keys()].sort(), this.permissions));
    return this.signed;
  }

  /** What is known of a field, or undefined. Paths over a lookup end in the target object. */
  find(object, name) {
    const [first, ...rest] = name.split('.');
    if (!rest.length) return this.objects.get(object)?.get(first);
    const target = { Owner: 'User', CreatedBy: 'User', LastModifiedBy: 'User', Manager: 'User' }[first] ?? this.objects.get(object)?.get(first.replace(/__r$/, '__c'))?.to;
    return target ? this.find(target, rest.join('.')) : undefined;
  }

  /** Type, record and field of custom metadata; undefined where one is missing. */
  metadata(type, record, field) {
    return this.records.has(`${type.replace(/__mdt$/, '')}.${record}`) ? this.find(type, field) : undefined;
  }
}

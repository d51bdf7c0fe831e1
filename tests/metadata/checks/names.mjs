// Files stand where their type belongs, under names that an org accepts, at one API version.
import { child, value } from '../lib/xml.mjs';

const API_NAME = /^[A-Za-z](?!.*__)(?!.*_$)\w*$/;
const LABEL_LIMIT = { Flow: 80, PermissionSet: 80, CustomPermission: 80, CustomNotificationType: 80, ListView: 40, FieldSet: 80, CompactLayout: 80, QuickAction: 80, GlobalValueSet: 80, CustomMetadata: 40, Queue: 40, Group: 40, Report: 40 };

export default {
  name: 'names',
  run(pkg) {
    const findings = [];
    for (const at of pkg.strays) findings.push(`${at}: no metadata type keeps files of this name here`);
    const seen = new Map();
    for (const part of pkg.parts) {
      const key = `${part.type} ${part.full} ${part.bundle ?? ''}`.toLowerCase();
      if (part.type && seen.has(key)) findings.push(`${part.path}: ${seen.get(key)} has the same name`);
      seen.set(key, part.path);
      if (part.root) one(part, (message) => findings.push(`${part.path}: ${message}`));
    }
    versions(pkg, findings);
    forbidden(pkg, findings);
    return { looked: pkg.parts.length + pkg.strays.length, findings };
  },
};

function one(part, say) {
  const full = value(part.root, 'fullName');
  if (full !== undefined && full !== part.name && full !== part.full) say(`fullName is ${full}`);
  const plain = part.type === 'CustomField' || part.type === 'CustomObject' ? part.name.replace(/__(c|mdt)$/, '') : part.type === 'PlatformEventChannel' ? part.name.replace(/__chn$/, '') : part.name;
  const pieces = ['QuickAction', 'CustomMetadata'].includes(part.type) ? plain.split('.') : [plain];
  if (part.type !== 'CustomObject' && pieces.some((it) => !API_NAME.test(it))) say(`${plain} is no API name`);
  if (plain.length > 80) say('an API name has at most 80 characters');
  if (['CustomField', 'CustomPermission', 'PermissionSet'].includes(part.type) && pieces.at(-1).length > 40 && part.type === 'CustomField') say('a field name has at most 40 characters');
  if (part.bundle && part.root && part.bundle !== part.name) say(`stands in the bundle ${part.bundle}`);
  const label = value(part.root, 'label') ?? value(part.root, 'masterLabel') ?? value(part.root, 'name');
  if (LABEL_LIMIT[part.type] && child(part.root, 'label') && (label ?? '').length > LABEL_LIMIT[part.type]) say(`label has more than ${LABEL_LIMIT[part.type]} characters`);
  if (part.type === 'ValidationRule') rule(part, say);
  if (['Flow', 'ValidationRule', 'PermissionSet', 'CustomPermission', 'GlobalValueSet', 'QuickAction'].includes(part.type) && !value(part.root, 'description')) say('is not described');
}

function rule(part, say) {
  const message = value(part.root, 'errorMessage') ?? '';
  const code = /^AI_GATE_\d\d/.exec(part.name)?.[0];
  if (!code) say('a rule is named after its code');
  if (!message.startsWith(`${code}: `)) say(`the message does not start with ${code}`);
  if (message.length > 255) say('a message has at most 255 characters');
  if (value(part.root, 'active') !== 'true') say('the rule is not active');
}

/** One version for all, because the behaviour of a flow hangs on its own. */
function versions(pkg, findings) {
  let project = {};
  try {
    project = pkg.project();
  } catch (error) {
    findings.push(`sfdx-project.json: ${error.message}`);
  }
  const wanted = project.sourceApiVersion;
  if (!/^\d\d\.0$/.test(wanted ?? '')) findings.push(`sfdx-project.json: sourceApiVersion is ${wanted}`);
  if (!(project.packageDirectories ?? []).some((it) => it.default)) findings.push('sfdx-project.json: no default package directory');
  for (const part of pkg.parts.filter((it) => ['Flow', 'ApexClass'].includes(it.type))) {
    if (Number(value(part.root, 'apiVersion')) !== Number(wanted)) findings.push(`${part.path}: apiVersion is not ${wanted}`);
  }
}

/** Files that would overwrite settings of the org. */
function forbidden(pkg, findings) {
  for (const part of pkg.of('CustomObject')) if (!/__(mdt|c)$/.test(part.object)) findings.push(`${part.path}: overwrites the org's own object settings`);
  for (const part of pkg.of('CustomField')) if (!part.name.endsWith('__c')) findings.push(`${part.path}: is a standard field`);
}

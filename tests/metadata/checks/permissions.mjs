// Who may write what. The lists here are ours: the four roles and break-glass, and nothing that carries two roles.
import { children, value } from '../lib/xml.mjs';
import { orgOf, REQUIRED } from '../lib/org.mjs';

const CANONICAL = ['Lead.Status', 'Opportunity.StageName', 'Opportunity.CloseDate', 'Opportunity.Amount', 'Opportunity.NextStep'];
const STAMPS = /\.(Previous_\w+__c|\w+_(Changed_Date|Change_Source)__c|AI_Promot(ed_Proposal_ID|ion_Seq)__c|AI_Last_Promotion_ID__c|AI_Gate_Outcome(_Of)?__c|Decay_Eligible_Date__c)$/;
const DECISION = /\.(AI_Decision_(Proposal_ID|Comments)__c|AI_Decided_(By|At)__c|AI_Rejection_Reason__c|AI_First_\w+__c|AI_Edited_From__c)$/;
const HOLD = /\.AI_Hold_\w+__c$/;
const REASON = /\.AI_Break_Glass_Reason__c$/;
const PROPOSAL = /\.(AI_Recommended_\w+__c|AI_(Status|Proposal)_(Confidence|Reason)__c|AI_Proposed_Fields__c|AI_Last_Evaluated_At__c|AI_Proposal_Evidence__c)$/;
/** Where the daemon says that it is at work, on its own user. */
const HEARTBEAT = 'User.AI_Heartbeat_At__c';
/** Records that the daemon keeps in the org, and who sees them. */
const KEPT = {
  AI_Checkpoint__c: ['AI_Promoter', 'AI_Auditor'],
  AI_Run_Total__c: ['AI_Promoter', 'AI_Auditor', 'AI_Reviewer'],
};
/** Fields that a role may not edit. */
const NEVER = {
  AI_Proposer: [STAMPS, DECISION, HOLD, REASON, /^(Opportunity\.(Amount|NextStep))$/],
  AI_Promoter: [PROPOSAL, HOLD, REASON, DECISION],
  AI_Auditor: [/./],
  AI_Reviewer: [/\.AI_(Promotion_Seq|Last_Promotion_ID|Promoted_Proposal_ID|Gate_Outcome)__c$/, REASON],
};
/** Fields that a role must be able to edit. */
const MUST = {
  AI_Proposer: [PROPOSAL, /\.AI_(Proposal_ID|Decision|Gate_Pending)__c$/],
  AI_Promoter: [STAMPS, /\.AI_Gate_Pending__c$/, /^(Opportunity\.(Amount|NextStep))$/],
  AI_Reviewer: [/\.AI_Decision(_Proposal_ID|_Comments)?__c$/, /\.AI_Gate_Pending__c$/],
  AI_Break_Glass: [REASON],
};

export default {
  name: 'permissions',
  run(pkg) {
    const org = orgOf(pkg);
    const findings = [];
    const sets = pkg.of('PermissionSet');
    const permissions = pkg.names('CustomPermission');
    for (const name of ['AI_Proposer', 'AI_Promoter', 'AI_Reviewer', 'AI_Auditor', 'AI_Break_Glass']) {
      if (!sets.some((it) => it.name === name)) findings.push(`there is no permission set ${name}`);
    }
    for (const part of sets) one(part, org, permissions, (message) => findings.push(`${part.path}: ${message}`));
    return { looked: sets.length, findings };
  },
};

function one(part, org, permissions, say) {
  const { root, name } = part;
  const granted = children(root, 'customPermissions').filter((it) => value(it, 'enabled') === 'true').map((it) => value(it, 'name'));
  for (const it of granted) if (!permissions.has(it)) say(`there is no custom permission ${it}`);
  if (granted.length > 1) say(`holds two roles: ${granted.join(', ')}`);
  if (granted.length && granted[0] !== name) say(`grants the role ${granted[0]}`);
  if (!granted.length && name !== 'AI_Auditor') say('grants no role');
  if (value(root, 'license')) say('a license narrows who can hold it');
  if (value(root, 'hasActivationRequired') === 'true') say('would need activation in a session');
  if (children(root, 'userPermissions').length) say('grants user permissions');
  const fields = fieldsOf(part, org, say);
  for (const [field, access] of fields) {
    if (access.edit && (NEVER[name] ?? []).some((it) => it.test(field))) say(`may edit ${field}`);
    if (field.startsWith('User.') && field !== HEARTBEAT) say(`opens ${field}`);
  }
  if (Boolean(fields.get(HEARTBEAT)?.edit) !== (name === 'AI_Promoter')) say('only the daemon writes its heartbeat');
  for (const [object, known] of org.objects) {
    if (object !== 'Lead' && object !== 'Opportunity') continue;
    for (const [field, it] of known) {
      const full = `${object}.${field}`;
      if (it.custom && !fields.get(full)?.read) say(`cannot read ${full}`);
      if ((it.custom || CANONICAL.includes(full)) && (MUST[name] ?? []).some((want) => want.test(full)) && !fields.get(full)?.edit) say(`cannot edit ${full}`);
    }
  }
  objects(root, name, say);
}

function fieldsOf(part, org, say) {
  const fields = new Map();
  for (const it of children(part.root, 'fieldPermissions')) {
    const full = value(it, 'field');
    const [object, ...rest] = (full ?? '').split('.');
    const access = { read: value(it, 'readable') === 'true', edit: value(it, 'editable') === 'true' };
    const field = org.find(object, rest.join('.'));
    if (!field) say(`there is no field ${full}`);
    if (REQUIRED.has(full) || field?.required) say(`You cannot deploy to a required field: ${full}`);
    if (access.edit && !access.read) say(`${full} is editable and not readable`);
    if (fields.has(full)) say(`${full} stands twice`);
    fields.set(full, access);
  }
  return fields;
}

function objects(root, name, say) {
  const seen = new Map(children(root, 'objectPermissions').map((it) => [value(it, 'object'), it]));
  for (const object of ['Lead', 'Opportunity']) {
    const it = seen.get(object);
    const may = (what) => value(it, what) === 'true';
    if (!may('allowRead')) say(`cannot read ${object}`);
    if (may('allowCreate') || may('allowDelete') || may('modifyAllRecords')) say(`may create or delete ${object}, or modify all`);
    if (name !== 'AI_Auditor' && !may('allowEdit')) say(`cannot edit ${object}`);
    if (name === 'AI_Auditor' && may('allowEdit')) say(`may edit ${object}`);
    if ((name === 'AI_Promoter' || name === 'AI_Auditor') && !may('viewAllRecords')) say(`does not see all of ${object}: the channel leaves out what it cannot see`);
    if (name === 'AI_Proposer' && may('viewAllRecords')) say(`sees all of ${object}`);
    if ((may('allowEdit') || may('allowCreate') || may('viewAllRecords')) && !may('allowRead')) say(`${object}: edit depends on read`);
  }
  // Opportunity depends on reading Account; no more than that.
  for (const object of Object.keys(KEPT)) kept(object, seen.get(object), name, say);
  const other = [...seen.keys()].filter((it) => !['Lead', 'Opportunity', 'Account', ...Object.keys(KEPT)].includes(it));
  if (other.length) say(`grants access to ${other.join(', ')}`);
  const account = (seen.get('Account')?.children ?? []).filter((it) => it.name !== 'object' && it.name !== 'allowRead' && it.text.trim() === 'true').length;
  if (account) say('grants more than read on Account');
  if (seen.has('Opportunity') && value(seen.get('Account'), 'allowRead') !== 'true') say('Permission Read Opportunity depends on permission(s): Read Account');
}

/** The daemon adds these records and the readers see all of them; nobody changes or deletes one. */
function kept(object, it, name, say) {
  const may = (what) => value(it, what) === 'true';
  const reads = KEPT[object].includes(name);
  if (reads && !(may('allowRead') && may('viewAllRecords'))) say(`does not see all of ${object}`);
  if (!reads && it) say(`sees ${object}`);
  if (may('allowCreate') !== (name === 'AI_Promoter')) say(`only the daemon adds to ${object}`);
  if (may('allowEdit') || may('allowDelete') || may('modifyAllRecords')) say(`may change or delete records of ${object}`);
}

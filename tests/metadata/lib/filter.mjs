// The filter of a channel member: comparisons of fields with literals, AND, OR, NOT and parentheses.
const TOKEN = /\s*(\(|\)|<=|>=|!=|=|<|>|,|'(?:[^'\\]|\\.)*'|[A-Za-z_][\w.]*|-?\d+(?:\.\d+)?|\S)/gy;
const HEADER = new Set(['changeType', 'changeOrigin', 'transactionKey', 'sequenceNumber', 'commitTimestamp', 'commitNumber', 'commitUser', 'entityName']);

/** What is wrong with `text`; `find` says a field's kind. */
export function filter(text, find) {
  const wrong = [];
  const tokens = [...text.matchAll(TOKEN)].map((it) => it[1]);
  let at = 0;
  const word = () => tokens[at]?.toUpperCase();
  const expect = (it) => { if (word() === it) at += 1; else wrong.push(`expected ${it}, found ${tokens[at] ?? 'the end'}`); };
  const literal = () => {
    const it = tokens[at];
    at += 1;
    if (it === undefined || !/^('|-?\d|true$|false$|null$)/i.test(it)) wrong.push(`${it ?? 'the end'} is not a literal`);
    return it ?? '';
  };
  const comparison = () => {
    const name = tokens[at] ?? '';
    at += 1;
    const header = name.startsWith('ChangeEventHeader.');
    const field = header ? (HEADER.has(name.slice(18)) ? { type: 'string' } : undefined) : name.includes('.') ? undefined : find(name);
    if (!field || name === 'IsDeleted') wrong.push(`there is no field ${name} to filter on`);
    const not = word() === 'NOT';
    if (not) at += 1;
    const operator = word();
    at += 1;
    if (operator === 'IN') {
      expect('(');
      value(field, name, literal());
      while (word() === ',') { at += 1; value(field, name, literal()); }
      expect(')');
      return;
    }
    const allowed = { picklist: ['=', '!='], multipicklist: [], datetime: ['=', '!='], boolean: ['=', '!='] }[field?.type] ?? ['=', '!=', '<', '>', '<=', '>=', 'LIKE'];
    if (field && !allowed.includes(operator)) wrong.push(`${name} is a ${field.type} and takes no ${operator}`);
    value(field, name, literal());
  };
  const value = (field, name, it) => {
    const kind = /^'/.test(it) ? 'string' : /^(true|false)$/i.test(it) ? 'boolean' : /^null$/i.test(it) ? 'null' : 'number';
    if (field && kind !== 'null' && (field.type === 'boolean') !== (kind === 'boolean')) wrong.push(`${name} is a ${field.type}, not ${it}`);
    if (field?.values && kind === 'string' && !field.values.has(it.slice(1, -1))) wrong.push(`${name} has no value ${it}`);
  };
  const unary = () => {
    if (word() === 'NOT') { at += 1; return unary(); }
    if (tokens[at] === '(') { at += 1; either(); return expect(')'); }
    return comparison();
  };
  const both = () => { unary(); while (word() === 'AND') { at += 1; unary(); } };
  const either = () => { both(); while (word() === 'OR') { at += 1; both(); } };
  if (!text) return ['is empty'];
  if (/\bWHERE\b/i.test(text)) return ['WHERE is not written'];
  either();
  if (at < tokens.length) wrong.push(`${tokens[at]} is one too many`);
  return wrong;
}

// All checks, in the order of the table.
import schema from './checks/schema.mjs';
import names from './checks/names.mjs';
import fields from './checks/fields.mjs';
import permissions from './checks/permissions.mjs';
import references from './checks/references.mjs';
import flows from './checks/flows.mjs';
import formulas from './checks/formulas.mjs';
import roundtrip from './checks/roundtrip.mjs';
import scanner from './checks/scanner.mjs';
import apex from './checks/apex.mjs';
import security from './checks/security.mjs';
import matrix from './matrix.mjs';

export const CHECKS = [schema, names, fields, permissions, references, flows, formulas, roundtrip, scanner, security, apex, matrix];

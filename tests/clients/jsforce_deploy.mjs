// jsforce deploys over SOAP and REST into an org that has nothing of the package.
import zlib from 'node:zlib';
import jsforce from 'jsforce';
import { assert, org, refused, run, version } from './checks.mjs';

const NAMESPACE = 'http://soap.sforce.com/2006/04/metadata';
const admin = new jsforce.Connection({ instanceUrl: org.instance_url, accessToken: org.users.admin.access_token, version });
admin.metadata.pollInterval = 100;

/** A zip file of texts, stored without compression. */
function zip(files) {
  const [parts, index] = [[], []];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const [title, data] = [Buffer.from(name), Buffer.from(text)];
    const about = Buffer.alloc(26);
    about.writeUInt16LE(20, 0);
    about.writeUInt32LE(zlib.crc32(data), 10);
    about.writeUInt32LE(data.length, 14);
    about.writeUInt32LE(data.length, 18);
    about.writeUInt16LE(title.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    parts.push(Buffer.from('PK\x03\x04'), about, title, data);
    index.push(Buffer.from('PK\x01\x02\x14\x00'), about, place, title);
    offset += 30 + title.length + data.length;
  }
  const directory = Buffer.concat(index);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(Object.keys(files).length, 8);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, directory, end]);
}

const field = (name, type = 'Text') =>
  `<fields><fullName>${name}</fullName><label>${name}</label><length>20</length><type>${type}</type></fields>`;
const parcel = (name, type) => zip({
  'package.xml': `<Package xmlns="${NAMESPACE}"><types><members>Lead.${name}</members><name>CustomField</name></types><version>67.0</version></Package>`,
  'objects/Lead.object': `<CustomObject xmlns="${NAMESPACE}">${field(name, type)}</CustomObject>`,
});
const has = async name => (await admin.sobject('Lead').describe()).fields.some(one => one.name === name);

await run({
  'metadata.describe and list': async () => {
    const described = await admin.metadata.describe(version);
    assert.ok(described.metadataObjects.some(type => type.xmlName === 'CustomObject'));
    const listed = await admin.metadata.list([{ type: 'CustomObject' }], version);
    assert.ok(listed.some(one => one.fullName === 'Lead'));
  },
  'metadata.deploy over SOAP': async () => {
    const result = await admin.metadata.deploy(parcel('Over_Soap__c'), { rollbackOnError: true }).complete(true);
    assert.equal(result.success, true, JSON.stringify(result));
    assert.equal(result.status, 'Succeeded');
    assert.equal(result.numberComponentsDeployed, 1);
    const made = result.details.componentSuccesses.find(one => one.fullName === 'Lead.Over_Soap__c');
    assert.equal(made.componentType, 'CustomField');
    assert.ok(await has('Over_Soap__c'));
  },
  'checkOnly changes nothing': async () => {
    const result = await admin.metadata.deploy(parcel('Checked__c'), { checkOnly: true }).complete(true);
    assert.equal(result.success, true);
    assert.ok(!(await has('Checked__c')));
  },
  'a broken file is refused with its place': async () => {
    const deploy = admin.metadata.deploy(parcel('Broken__c', 'Hat'), { rollbackOnError: true });
    const result = await deploy.complete(true);
    assert.equal(result.success, false);
    const failures = [result.details.componentFailures].flat();
    assert.equal(failures.length, 1);
    assert.match(failures[0].problem, /'Hat' is not a valid value for the enum 'FieldType'/);
    assert.equal(Number(failures[0].lineNumber), 1);
    assert.ok(!(await has('Broken__c')));
  },
  'metadata.deployRest': async () => {
    const result = await admin.metadata.deployRest(parcel('Over_Rest__c'), {}).complete(true);
    assert.equal(result.success, true, JSON.stringify(result));
    assert.ok(await has('Over_Rest__c'));
  },
  'only an admin deploys': async () => {
    const accessToken = org.users.promoter.access_token;
    const promoter = new jsforce.Connection({ instanceUrl: org.instance_url, accessToken, version });
    const error = await refused(() => promoter.metadata.describe(version));
    assert.match(String(error.errorCode ?? error.message), /INSUFFICIENT_ACCESS/);
  },
});

// Which folder and suffix holds which metadata type. What is not listed may not be in the package.
// `split` types have a file per part of an object; `bundle` types have a folder per component.
export const KINDS = [
  { folder: 'objects', suffix: '.object-meta.xml', type: 'CustomObject', split: true },
  { folder: 'objects', suffix: '.field-meta.xml', type: 'CustomField', split: true, place: 'fields' },
  { folder: 'objects', suffix: '.validationRule-meta.xml', type: 'ValidationRule', split: true, place: 'validationRules' },
  { folder: 'objects', suffix: '.listView-meta.xml', type: 'ListView', split: true, place: 'listViews' },
  { folder: 'objects', suffix: '.fieldSet-meta.xml', type: 'FieldSet', split: true, place: 'fieldSets' },
  { folder: 'objects', suffix: '.compactLayout-meta.xml', type: 'CompactLayout', split: true, place: 'compactLayouts' },
  { folder: 'objects', suffix: '.webLink-meta.xml', type: 'WebLink', split: true, place: 'webLinks' },
  { folder: 'globalValueSets', suffix: '.globalValueSet-meta.xml', type: 'GlobalValueSet' },
  { folder: 'customPermissions', suffix: '.customPermission-meta.xml', type: 'CustomPermission' },
  { folder: 'permissionsets', suffix: '.permissionset-meta.xml', type: 'PermissionSet' },
  { folder: 'customMetadata', suffix: '.md-meta.xml', type: 'CustomMetadata' },
  { folder: 'flows', suffix: '.flow-meta.xml', type: 'Flow' },
  { folder: 'quickActions', suffix: '.quickAction-meta.xml', type: 'QuickAction' },
  { folder: 'notificationtypes', suffix: '.notiftype-meta.xml', type: 'CustomNotificationType' },
  { folder: 'platformEventChannels', suffix: '.platformEventChannel-meta.xml', type: 'PlatformEventChannel' },
  { folder: 'platformEventChannelMembers', suffix: '.platformEventChannelMember-meta.xml', type: 'PlatformEventChannelMember' },
  { folder: 'genAiFunctions', suffix: '.genAiFunction-meta.xml', type: 'GenAiFunction', bundle: true },
  { folder: 'genAiFunctions', suffix: 'schema.json', type: null, bundle: true },
  { folder: 'groups', suffix: '.group-meta.xml', type: 'Group' },
  { folder: 'queues', suffix: '.queue-meta.xml', type: 'Queue' },
  { folder: 'flexipages', suffix: '.flexipage-meta.xml', type: 'FlexiPage' },
  { folder: 'reportTypes', suffix: '.reportType-meta.xml', type: 'ReportType' },
  { folder: 'reports', suffix: '.reportFolder-meta.xml', type: 'ReportFolder', nested: true },
  { folder: 'reports', suffix: '.report-meta.xml', type: 'Report', nested: true },
  { folder: 'dashboards', suffix: '.dashboardFolder-meta.xml', type: 'DashboardFolder', nested: true },
  { folder: 'dashboards', suffix: '.dashboard-meta.xml', type: 'Dashboard', nested: true },
  { folder: 'classes', suffix: '.cls-meta.xml', type: 'ApexClass' },
  { folder: 'classes', suffix: '.cls', type: null },
  { folder: 'applications', suffix: '.app-meta.xml', type: 'CustomApplication' },
  { folder: 'tabs', suffix: '.tab-meta.xml', type: 'CustomTab' },
  { folder: 'externalClientApps', suffix: '.eca-meta.xml', type: 'ExternalClientApplication' },
  { folder: 'extlClntAppOauthSettings', suffix: '.ecaOauth-meta.xml', type: 'ExtlClntAppOauthSettings' },
  { folder: 'extlClntAppOauthPolicies', suffix: '.ecaOauthPlcy-meta.xml', type: 'ExtlClntAppOauthConfigurablePolicies' },
  { folder: 'extlClntAppGlobalOauthSets', suffix: '.ecaGlblOauth-meta.xml', type: 'ExtlClntAppGlobalOauthSettings' },
  { folder: 'extlClntAppPolicies', suffix: '.ecaPlcy-meta.xml', type: 'ExtlClntAppConfigurablePolicies' },
];

/** Place of a path in the package: { kind, type, name, object }, or null when nothing of the kind is known. */
export function place(path) {
  const parts = path.split('/');
  const start = parts.indexOf('default') + 1;
  if (start === 0 || parts.length < start + 2) return null;
  const file = parts.at(-1);
  const kind = KINDS.find((it) => it.folder === parts[start] && file.endsWith(it.suffix));
  if (!kind) return null;
  const base = file.slice(0, -kind.suffix.length);
  if (kind.split) {
    const object = parts[start + 1];
    const inPlace = kind.place ? parts[start + 2] === kind.place && parts.length === start + 4 : parts.length === start + 3;
    return inPlace ? { kind, type: kind.type, name: base, object, full: kind.place ? `${object}.${base}` : base } : null;
  }
  const full = kind.nested ? [...parts.slice(start + 1, -1), base].join('/') : base;
  return { kind, type: kind.type, name: base, full, bundle: kind.bundle ? parts[start + 1] : undefined };
}

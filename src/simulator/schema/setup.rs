//! Users, permissions, status tables and histories: read by clients, written by the org itself.

use super::table::Table;

/// Objects whose rows are made when they are asked for.
pub(in crate::simulator) const FIELD_PERMISSIONS: &str = "FieldPermissions";
pub(in crate::simulator) const OAUTH_TOKEN: &str = "OauthToken";
pub(in crate::simulator) const CONNECTED_APPLICATION: &str = "ConnectedApplication";

pub(super) const TABLES: &[Table<'static>] = &[
    Table { name: "User", label: "User", prefix: "005", dml: false, fields: USER },
    Table { name: "Organization", label: "Organization", prefix: "00D", dml: false, fields: ORGANIZATION },
    Table { name: "LeadStatus", label: "Lead Status Value", prefix: "01J", dml: false, fields: LEAD_STATUS },
    Table { name: "OpportunityStage", label: "Opportunity Stage", prefix: "01J", dml: false, fields: STAGE },
    Table { name: "Profile", label: "Profile", prefix: "00e", dml: false, fields: PROFILE },
    Table { name: "UserLicense", label: "User License", prefix: "100", dml: false, fields: USER_LICENSE },
    Table {
        name: "PermissionSet",
        label: "Permission Set",
        prefix: "0PS",
        dml: false,
        fields: PERMISSION_SET,
    },
    Table {
        name: "PermissionSetAssignment",
        label: "Permission Set Assignment",
        prefix: "0Pa",
        dml: false,
        fields: ASSIGNMENT,
    },
    Table {
        name: "ObjectPermissions",
        label: "Object Permissions",
        prefix: "110",
        dml: false,
        fields: OBJECT_PERMISSIONS,
    },
    Table {
        name: FIELD_PERMISSIONS,
        label: "Field Permissions",
        prefix: "01k",
        dml: false,
        fields: FIELD_PERMISSION_FIELDS,
    },
    Table { name: OAUTH_TOKEN, label: "OAuth Token", prefix: "0CQ", dml: false, fields: TOKEN },
    Table {
        name: CONNECTED_APPLICATION,
        label: "Connected Application",
        prefix: "0H4",
        dml: false,
        fields: APPLICATION,
    },
    Table { name: "Group", label: "Group", prefix: "00G", dml: false, fields: GROUP },
    Table { name: "GroupMember", label: "Group Member", prefix: "011", dml: false, fields: GROUP_MEMBER },
    Table {
        name: "CustomNotificationType",
        label: "Custom Notification Type",
        prefix: "0ML",
        dml: false,
        fields: NOTIFICATION_TYPE,
    },
    Table { name: "RecordType", label: "Record Type", prefix: "012", dml: false, fields: RECORD_TYPE },
    Table { name: "LeadHistory", label: "Lead History", prefix: "017", dml: false, fields: LEAD_HISTORY },
    Table {
        name: "OpportunityFieldHistory",
        label: "Opportunity Field History",
        prefix: "017",
        dml: false,
        fields: OPPORTUNITY_FIELD_HISTORY,
    },
    Table {
        name: "OpportunityHistory",
        label: "Opportunity History",
        prefix: "008",
        dml: false,
        fields: OPPORTUNITY_HISTORY,
    },
];

const USER: &str = "
    Id | User ID | id | -
    Username | Username | string 80 |
    LastName | Last Name | string 80 |
    FirstName | First Name | string 40 | n
    Name | Full Name | string 121 |
    Alias | Alias | string 8 |
    Email | Email | email 128 |
    IsActive | Active | boolean |
    ProfileId | Profile ID | ref Profile Profile |
    ManagerId | Manager ID | ref User Manager | n
    DelegatedApproverId | Delegated Approver ID | ref Group,User | n
    UserType | User Type | string 40 |
    TimeZoneSidKey | Time Zone | string 40 |
    LocaleSidKey | Locale | string 40 |
    EmailEncodingKey | Email Encoding | string 40 |
    LanguageLocaleKey | Language | string 40 |
    CreatedDate | Created Date | datetime | -
    CreatedById | Created By ID | ref User CreatedBy | -
    LastModifiedDate | Last Modified Date | datetime | -
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy | -
    SystemModstamp | System Modstamp | datetime | -
";

const ORGANIZATION: &str = "
    Id | Organization ID | id | -
    Name | Name | string 80 |
    Country | Country | string 80 | n
    PrimaryContact | Primary Contact | string 80 | n
    DefaultLocaleSidKey | Locale | string 40 |
    TimeZoneSidKey | Time Zone | string 40 |
    LanguageLocaleKey | Language | string 40 |
    FiscalYearStartMonth | Fiscal Year Starts In | int 8 |
    OrganizationType | Edition | string 40 |
    NamespacePrefix | Namespace Prefix | string 15 | n
    InstanceName | Instance Name | string 5 |
    IsSandbox | Is Sandbox | boolean |
    IsReadOnly | Is Read Only | boolean |
    TrialExpirationDate | Trial Expiration Date | datetime | n
    CreatedDate | Created Date | datetime | -
    CreatedById | Created By ID | ref User CreatedBy | -
    LastModifiedDate | Last Modified Date | datetime | -
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy | -
    SystemModstamp | System Modstamp | datetime | -
";

const LEAD_STATUS: &str = "
    Id | Lead Status Value ID | id | -
    MasterLabel | Master Label | string 255 |
    ApiName | API Name | string 255 |
    SortOrder | Sort Order | int 8 |
    IsDefault | Is Default | boolean |
    IsConverted | Is Converted | boolean |
    CreatedDate | Created Date | datetime | -
    CreatedById | Created By ID | ref User CreatedBy | -
    LastModifiedDate | Last Modified Date | datetime | -
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy | -
    SystemModstamp | System Modstamp | datetime | -
";

const STAGE: &str = "
    Id | Opportunity Stage ID | id | -
    MasterLabel | Master Label | string 255 |
    ApiName | API Name | string 255 |
    IsActive | Is Active | boolean |
    SortOrder | Sort Order | int 8 |
    IsClosed | Is Closed | boolean |
    IsWon | Is Won | boolean |
    ForecastCategory | Forecast Category | restricted Forecast |
    ForecastCategoryName | Forecast Category Name | restricted ForecastName |
    DefaultProbability | Default Probability (%) | percent 3 0 | n
    Description | Description | string 255 | n
    CreatedDate | Created Date | datetime | -
    CreatedById | Created By ID | ref User CreatedBy | -
    LastModifiedDate | Last Modified Date | datetime | -
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy | -
    SystemModstamp | System Modstamp | datetime | -
";

const PROFILE: &str = "
    Id | Profile ID | id | -
    Name | Name | string 255 |
    UserType | User Type | string 40 |
    UserLicenseId | User License ID | ref UserLicense UserLicense | n
    Description | Description | string 255 | n
    PermissionsViewAllData | View All Data | boolean |
    PermissionsModifyAllData | Modify All Data | boolean |
    CreatedDate | Created Date | datetime | -
    CreatedById | Created By ID | ref User CreatedBy | -
    LastModifiedDate | Last Modified Date | datetime | -
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy | -
    SystemModstamp | System Modstamp | datetime | -
";

const USER_LICENSE: &str = "
    Id | User License ID | id | -
    Name | Name | string 40 |
    MasterLabel | Master Label | string 80 |
    LicenseDefinitionKey | License Definition ID | string 40 |
    SystemModstamp | System Modstamp | datetime | -
";

const PERMISSION_SET: &str = "
    Id | Permission Set ID | id | -
    Name | Permission Set Name | string 80 |
    Label | Permission Set Label | string 80 |
    IsCustom | Custom | boolean |
    IsOwnedByProfile | Owned by Profile | boolean |
    Type | Type | string 40 |
    PermissionsModifyAllData | Modify All Data | boolean |
    ProfileId | Profile ID | ref Profile Profile | n
    NamespacePrefix | Namespace Prefix | string 15 | n
    CreatedDate | Created Date | datetime | -
    CreatedById | Created By ID | ref User CreatedBy | -
    LastModifiedDate | Last Modified Date | datetime | -
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy | -
    SystemModstamp | System Modstamp | datetime | -
";

const ASSIGNMENT: &str = "
    Id | Permission Set Assignment ID | id | -
    PermissionSetId | Permission Set ID | ref PermissionSet PermissionSet |
    AssigneeId | Assignee ID | ref User Assignee |
    IsActive | Is Active | boolean |
    SystemModstamp | System Modstamp | datetime | -
";

const OBJECT_PERMISSIONS: &str = "
    Id | Object Permissions ID | id | -
    ParentId | Parent ID | ref PermissionSet Parent |
    SobjectType | SObject Type Name | string 40 |
    PermissionsRead | Read | boolean |
    PermissionsCreate | Create | boolean |
    PermissionsEdit | Edit | boolean |
    PermissionsDelete | Delete | boolean |
    PermissionsViewAllRecords | View All | boolean |
    PermissionsModifyAllRecords | Modify All | boolean |
    SystemModstamp | System Modstamp | datetime | -
";

const FIELD_PERMISSION_FIELDS: &str = "
    Id | Field Permissions ID | id | -
    ParentId | Parent ID | ref PermissionSet Parent |
    SobjectType | SObject Type Name | string 40 |
    Field | Field Name | string 160 |
    PermissionsRead | Read | boolean |
    PermissionsEdit | Edit | boolean |
    SystemModstamp | System Modstamp | datetime | -
";

const TOKEN: &str = "
    Id | OAuth Token ID | id | -
    AppName | App Name | string 80 | n
    UserId | User ID | ref User User | n
    UseCount | Use Count | int 8 | n
    LastUsedDate | Last Used Date | datetime | n
    CreatedDate | Created Date | datetime | -
";

const APPLICATION: &str = "
    Id | Connected App ID | id | -
    Name | Name | string 80 |
    OptionsAllowAdminApprovedUsersOnly | Admin Approved Users Only | boolean |
    CreatedDate | Created Date | datetime | -
    CreatedById | Created By ID | ref User CreatedBy | -
    LastModifiedDate | Last Modified Date | datetime | -
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy | -
    SystemModstamp | System Modstamp | datetime | -
";

const GROUP: &str = "
    Id | Group ID | id | -
    Name | Name | string 40 |
    DeveloperName | Developer Name | string 80 |
    Type | Type | restricted GroupType |
    Email | Email | email 255 | n
    CreatedDate | Created Date | datetime | -
    CreatedById | Created By ID | ref User CreatedBy | -
    LastModifiedDate | Last Modified Date | datetime | -
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy | -
    SystemModstamp | System Modstamp | datetime | -
";

const GROUP_MEMBER: &str = "
    Id | Group Member ID | id | -
    GroupId | Group ID | ref Group Group |
    UserOrGroupId | User/Group ID | ref Group,User |
    SystemModstamp | System Modstamp | datetime | -
";

const NOTIFICATION_TYPE: &str = "
    Id | Custom Notification Type ID | id | -
    DeveloperName | Custom Notification Type API Name | string 80 |
    MasterLabel | Master Label | string 80 |
    CustomNotifTypeName | Custom Notification Type Name | string 80 |
    Desktop | Desktop | boolean |
    Mobile | Mobile | boolean |
    SystemModstamp | System Modstamp | datetime | -
";

const RECORD_TYPE: &str = "
    Id | Record Type ID | id | -
    Name | Name | string 80 |
    DeveloperName | Record Type Name | string 80 |
    SobjectType | SObject Type Name | string 40 |
    IsActive | Active | boolean |
    SystemModstamp | System Modstamp | datetime | -
";

const LEAD_HISTORY: &str = "
    Id | Lead History ID | id | -
    IsDeleted | Deleted | boolean | -
    LeadId | Lead ID | ref Lead Lead |
    CreatedById | Created By ID | ref User CreatedBy |
    CreatedDate | Created Date | datetime |
    Field | Changed Field | string 255 |
    DataType | Datatype | string 40 |
    OldValue | Old Value | string 255 | n
    NewValue | New Value | string 255 | n
";

const OPPORTUNITY_FIELD_HISTORY: &str = "
    Id | Opportunity Field History ID | id | -
    IsDeleted | Deleted | boolean | -
    OpportunityId | Opportunity ID | ref Opportunity Opportunity |
    CreatedById | Created By ID | ref User CreatedBy |
    CreatedDate | Created Date | datetime |
    Field | Changed Field | string 255 |
    DataType | Datatype | string 40 |
    OldValue | Old Value | string 255 | n
    NewValue | New Value | string 255 | n
";

const OPPORTUNITY_HISTORY: &str = "
    Id | Opportunity History ID | id | -
    OpportunityId | Opportunity ID | ref Opportunity Opportunity |
    CreatedById | Created By ID | ref User CreatedBy |
    CreatedDate | Created Date | datetime |
    StageName | Stage Name | picklist Stage |
    Amount | Amount | currency 18 2 | n
    ExpectedRevenue | Expected Revenue | currency 18 2 | n
    CloseDate | Close Date | date | n
    Probability | Probability (%) | percent 3 0 | n
    ForecastCategory | Forecast Category | restricted Forecast | n
    PrevAmount | Previous Amount | currency 18 2 | n
    PrevCloseDate | Previous Close Date | date | n
    SystemModstamp | System Modstamp | datetime | -
    IsDeleted | Deleted | boolean | -
";

/// Fields that every custom object has. The name is a text; left out, it is empty here and the id
/// in a real org.
pub(super) const CUSTOM_OBJECT: &str = "
    Id | Record ID | id | -
    OwnerId | Owner ID | ref Group,User Owner | cus
    IsDeleted | Deleted | boolean | -
    Name | Name | string 80 | cuns
    CreatedDate | Created Date | datetime | -
    CreatedById | Created By ID | ref User CreatedBy | -
    LastModifiedDate | Last Modified Date | datetime | -
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy | -
    SystemModstamp | System Modstamp | datetime | -
";

/// Fields that every custom metadata type has.
pub(super) const METADATA_TYPE: &str = "
    Id | Custom Metadata Record ID | id | -
    DeveloperName | Custom Metadata Record Name | string 40 | -
    MasterLabel | Label | string 40 | -
    Language | Master Language | string 40 | -
    NamespacePrefix | Namespace Prefix | string 15 | n-
    Label | Label | string 40 | -
    QualifiedApiName | Qualified API Name | string 70 | -
    SystemModstamp | System Modstamp | datetime | -
";

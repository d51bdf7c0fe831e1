//! Types of the Tooling API: what is deployed, as rows. Setup shows the same things.
//!
//! Source: the Tooling API reference and recorded replies. `FilterExpression` as a column of its
//! own is unconfirmed: the setting `filter-expression-column`.

use super::{super::model::ObjectDef, table, table::Table};

/// Objects with the fields that can be told from a package.
pub const ENTITY_DEFINITION: &str = "EntityDefinition";
/// Custom fields.
pub const CUSTOM_FIELD: &str = "CustomField";
/// Validation rules.
pub const VALIDATION_RULE: &str = "ValidationRule";
/// Flows, with the version that runs.
pub const FLOW_DEFINITION: &str = "FlowDefinition";
/// Versions of flows. `Metadata` is told of one at a time.
pub const FLOW: &str = "Flow";
/// Apex classes.
pub const APEX_CLASS: &str = "ApexClass";
/// Flows with the object whose records start them; also of the data API.
pub const FLOW_VIEW: &str = "FlowDefinitionView";
/// Apex triggers. The simulated org has none.
pub const APEX_TRIGGER: &str = "ApexTrigger";
/// Custom channels.
pub const CHANNEL: &str = "PlatformEventChannel";
/// What channels carry.
pub const CHANNEL_MEMBER: &str = "PlatformEventChannelMember";

/// The types that tooling queries find here.
pub fn tooling_objects() -> Vec<ObjectDef> {
    TABLES.iter().map(table::parse).collect()
}

const TABLES: &[Table<'static>] = &[
    Table { name: ENTITY_DEFINITION, label: "Entity Definition", prefix: "4ie", dml: false, fields: ENTITY },
    Table { name: CUSTOM_FIELD, label: "Custom Field", prefix: "00N", dml: false, fields: FIELD },
    Table { name: VALIDATION_RULE, label: "Validation Rule", prefix: "03d", dml: false, fields: RULE },
    Table { name: FLOW_DEFINITION, label: "Flow Definition", prefix: "300", dml: false, fields: FLOWS },
    Table { name: FLOW, label: "Flow", prefix: "301", dml: false, fields: FLOW_VERSIONS },
    Table { name: APEX_CLASS, label: "Apex Class", prefix: "01p", dml: false, fields: CLASSES },
    Table { name: FLOW_VIEW, label: "Flow Definition View", prefix: "3dd", dml: false, fields: FLOW_VIEWS },
    Table { name: APEX_TRIGGER, label: "Apex Trigger", prefix: "01q", dml: false, fields: TRIGGERS },
    Table { name: CHANNEL, label: "Platform Event Channel", prefix: "0YL", dml: false, fields: CHANNELS },
    Table {
        name: CHANNEL_MEMBER,
        label: "Platform Event Channel Member",
        prefix: "0v8",
        dml: false,
        fields: MEMBERS,
    },
];

const ENTITY: &str = "
    Id | Entity Definition ID | id | -
    DurableId | Durable ID | string 255 |
    QualifiedApiName | Qualified API Name | string 255 |
    DeveloperName | Developer Name | string 80 |
    Label | Label | string 80 |
    KeyPrefix | Key Prefix | string 3 |
    NamespacePrefix | Namespace Prefix | string 15 | n
";

const FIELD: &str = "
    Id | Custom Field ID | id | -
    DeveloperName | Developer Name | string 80 |
    TableEnumOrId | Table Enum or ID | string 255 |
    EntityDefinitionId | Entity Definition ID | ref EntityDefinition EntityDefinition |
    NamespacePrefix | Namespace Prefix | string 15 | n
";

const RULE: &str = "
    Id | Validation Rule ID | id | -
    ValidationName | Validation Name | string 80 |
    Active | Active | boolean |
    EntityDefinitionId | Entity Definition ID | ref EntityDefinition EntityDefinition |
    ErrorDisplayField | Error Display Field | string 255 | n
    ErrorMessage | Error Message | string 255 |
    LastModifiedDate | Last Modified Date | datetime |
    NamespacePrefix | Namespace Prefix | string 15 | n
";

const FLOWS: &str = "
    Id | Flow Definition ID | id | -
    DeveloperName | Developer Name | string 80 |
    MasterLabel | Master Label | string 255 | n
    ActiveVersionId | Active Version ID | string 18 | n
    LatestVersionId | Latest Version ID | string 18 | n
    NamespacePrefix | Namespace Prefix | string 15 | n
";

const FLOW_VIEWS: &str = "
    Id | Flow Definition View ID | id | -
    ApiName | API Name | string 255 |
    ActiveVersionId | Active Version ID | string 18 | n
    IsActive | Active | boolean |
    TriggerObjectOrEventId | Trigger Object or Event ID | ref EntityDefinition TriggerObjectOrEvent | n
";

const FLOW_VERSIONS: &str = "
    Id | Flow Version ID | id | -
    DefinitionId | Flow Definition ID | ref FlowDefinition Definition |
    MasterLabel | Master Label | string 255 | n
    ProcessType | Process Type | string 40 | n
    Status | Status | string 40 |
";

const CLASSES: &str = "
    Id | Class ID | id | -
    Name | Name | string 255 |
    Status | Status | string 40 |
    Body | Body | textarea 1000000 | n
    NamespacePrefix | Namespace Prefix | string 15 | n
";

const TRIGGERS: &str = "
    Id | Trigger ID | id | -
    Name | Name | string 255 |
    Status | Status | string 40 |
    Body | Body | textarea 1000000 | n
    EntityDefinitionId | Entity Definition ID | ref EntityDefinition EntityDefinition |
    LastModifiedDate | Last Modified Date | datetime |
";

const CHANNELS: &str = "
    Id | Platform Event Channel ID | id | -
    DeveloperName | Developer Name | string 80 |
    MasterLabel | Master Label | string 255 |
    ChannelType | Channel Type | string 40 |
    NamespacePrefix | Namespace Prefix | string 15 | n
";

const MEMBERS: &str = "
    Id | Platform Event Channel Member ID | id | -
    DeveloperName | Developer Name | string 80 |
    EventChannel | Event Channel | string 255 |
    SelectedEntity | Selected Entity | string 255 |
    FilterExpression | Filter Expression | textarea 131072 | n
    NamespacePrefix | Namespace Prefix | string 15 | n
";

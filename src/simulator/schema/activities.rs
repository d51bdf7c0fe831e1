//! Task and Event. Their custom fields are deployed with the object Activity and stand on both.
//!
//! Source: public object reference. Which of their standard fields take field-level security is
//! unconfirmed; here none does: whoever may edit tasks may fill them.

use super::table::Table;

/// The objects that share the custom fields of [`SHARED`].
pub(in crate::simulator) const ACTIVITIES: &[&str] = &["Task", "Event"];
/// The object that those are deployed with. It has no records of its own.
pub(in crate::simulator) const SHARED: &str = "Activity";

pub(super) const TABLES: &[Table<'static>] = &[
    Table { name: "Task", label: "Task", prefix: "00T", dml: true, fields: TASK },
    Table { name: "Event", label: "Event", prefix: "00U", dml: true, fields: EVENT },
];

const TASK: &str = "
    Id | Activity ID | id | -
    WhoId | Name ID | ref Contact,Lead Who | ncus
    WhatId | Related To ID | ref Account,Case,Opportunity What | ncus
    Subject | Subject | string 255 | ncus
    ActivityDate | Due Date Only | date | ncus
    Status | Status | picklist TaskStatus | cus
    Priority | Priority | picklist TaskPriority | cus
    IsHighPriority | High Priority | boolean |
    OwnerId | Assigned To ID | ref Group,User Owner | cus
    Description | Description | textarea 32000 | ncus
    Type | Type | picklist TaskType | ncus
    IsDeleted | Deleted | boolean | -
    AccountId | Account ID | ref Account Account | n
    IsClosed | Closed | boolean |
    CreatedDate | Created Date | datetime |
    CreatedById | Created By ID | ref User CreatedBy |
    LastModifiedDate | Last Modified Date | datetime |
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy |
    SystemModstamp | System Modstamp | datetime | -
    IsArchived | Archived | boolean |
    CallDurationInSeconds | Call Duration | int 8 | ncus
    CallType | Call Type | picklist CallType | ncus
    CallDisposition | Call Result | string 255 | ncus
    CallObject | Call Object Identifier | string 255 | ncus
    TaskSubtype | Task Subtype | restricted TaskSubtype | ncs
    CompletedDateTime | Completed Date | datetime | n
";

const EVENT: &str = "
    Id | Activity ID | id | -
    WhoId | Name ID | ref Contact,Lead Who | ncus
    WhatId | Related To ID | ref Account,Case,Opportunity What | ncus
    Subject | Subject | string 255 | ncus
    Location | Location | string 255 | ncus
    ActivityDateTime | Due Date Time | datetime | ncus
    ActivityDate | Due Date Only | date | ncus
    DurationInMinutes | Duration | int 8 | ncus
    Description | Description | textarea 32000 | ncus
    OwnerId | Assigned To ID | ref User Owner | cus
    IsDeleted | Deleted | boolean | -
    CreatedDate | Created Date | datetime |
    CreatedById | Created By ID | ref User CreatedBy |
    LastModifiedDate | Last Modified Date | datetime |
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy |
    SystemModstamp | System Modstamp | datetime | -
";

//! Lead, Opportunity, Account, Contact and Case, fields in the order that change events use.
//! Source: public object reference and recorded describes; flags in `table.rs`.

use super::table::Table;

pub(super) const TABLES: &[Table<'static>] = &[
    Table { name: "Lead", label: "Lead", prefix: "00Q", dml: true, fields: LEAD },
    Table { name: "Opportunity", label: "Opportunity", prefix: "006", dml: true, fields: OPPORTUNITY },
    Table { name: "Account", label: "Account", prefix: "001", dml: true, fields: ACCOUNT },
    Table { name: "Contact", label: "Contact", prefix: "003", dml: true, fields: CONTACT },
    Table { name: "Case", label: "Case", prefix: "500", dml: true, fields: CASE },
];

const LEAD: &str = "
    Id | Lead ID | id | -
    IsDeleted | Deleted | boolean | -
    MasterRecordId | Master Record ID | ref Lead MasterRecord | n-
    LastName | Last Name | string 80 | cu
    FirstName | First Name | string 40 | ncus
    Salutation | Salutation | picklist Salutation | ncus
    Name | Full Name | string 121 |
    Title | Title | string 128 | ncu
    Company | Company | string 255 | cu
    Street | Street | textarea 255 | ncu
    City | City | string 40 | ncu
    State | State/Province | string 80 | ncu
    PostalCode | Zip/Postal Code | string 20 | ncu
    Country | Country | string 80 | ncu
    Latitude | Latitude | double 18 15 | ncu
    Longitude | Longitude | double 18 15 | ncu
    GeocodeAccuracy | Geocode Accuracy | restricted Accuracy | ncu
    Address | Address | address | n
    Phone | Phone | phone 40 | ncu
    MobilePhone | Mobile Phone | phone 40 | ncu
    Fax | Fax | phone 40 | ncu
    Email | Email | email 80 | ncu
    Website | Website | url 255 | ncu
    PhotoUrl | Photo URL | url 255 | n-
    Description | Description | textarea 32000 | ncu
    LeadSource | Lead Source | picklist LeadSource | ncu
    Status | Status | picklist Status | cu
    Industry | Industry | picklist Industry | ncu
    Rating | Rating | picklist Rating | ncu
    AnnualRevenue | Annual Revenue | currency 18 0 | ncu
    NumberOfEmployees | Employees | int 8 | ncu
    OwnerId | Owner ID | ref Group,User Owner | cu
    HasOptedOutOfEmail | Email Opt Out | boolean | cu
    IsConverted | Converted | boolean | cs
    ConvertedDate | Converted Date | date | n
    ConvertedAccountId | Converted Account ID | ref Account ConvertedAccount | n
    ConvertedContactId | Converted Contact ID | ref Contact ConvertedContact | n
    ConvertedOpportunityId | Converted Opportunity ID | ref Opportunity ConvertedOpportunity | n
    IsUnreadByOwner | Unread By Owner | boolean true | cus
    CreatedDate | Created Date | datetime |
    CreatedById | Created By ID | ref User CreatedBy |
    LastModifiedDate | Last Modified Date | datetime |
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy |
    SystemModstamp | System Modstamp | datetime | -
    LastActivityDate | Last Activity | date | n-
    LastViewedDate | Last Viewed Date | datetime | n-
    LastReferencedDate | Last Referenced Date | datetime | n-
    DoNotCall | Do Not Call | boolean | cu
    HasOptedOutOfFax | Fax Opt Out | boolean | cu
    LastTransferDate | Last Transfer Date | date | n
    Jigsaw | Data.com Key | string 20 | ncu
    JigsawContactId | Jigsaw Contact ID | string 20 | n
    CleanStatus | Clean Status | restricted Clean | ncu
    CompanyDunsNumber | Company D-U-N-S Number | string 9 | ncu
    DandbCompanyId | D&B Company ID | ref DandBCompany DandbCompany | ncu
    EmailBouncedReason | Email Bounced Reason | string 255 | nu
    EmailBouncedDate | Email Bounced Date | datetime | nu
    IndividualId | Individual ID | ref Individual Individual | ncu
    Pronouns | Pronouns | picklist Pronouns | ncu
    GenderIdentity | Gender Identity | picklist Gender | ncu
";

const OPPORTUNITY: &str = "
    Id | Opportunity ID | id | -
    IsDeleted | Deleted | boolean | -
    AccountId | Account ID | ref Account Account | ncu
    IsPrivate | Private | boolean | cu
    Name | Name | string 120 | cu
    Description | Description | textarea 32000 | ncu
    StageName | Stage | picklist Stage | cu
    Amount | Amount | currency 18 2 | ncu
    Probability | Probability (%) | percent 3 0 | ncu
    ExpectedRevenue | Expected Amount | currency 18 2 | n
    TotalOpportunityQuantity | Quantity | double 18 2 | ncu
    CloseDate | Close Date | date | cu
    Type | Opportunity Type | picklist OpportunityType | ncu
    NextStep | Next Step | string 255 | ncu
    LeadSource | Lead Source | picklist LeadSource | ncu
    IsClosed | Closed | boolean |
    IsWon | Won | boolean |
    ForecastCategory | Forecast Category | restricted Forecast |
    ForecastCategoryName | Forecast Category | restricted ForecastName | ncus
    CampaignId | Campaign ID | ref Campaign Campaign | ncu
    HasOpportunityLineItem | Has Line Item | boolean |
    Pricebook2Id | Price Book ID | ref Pricebook2 Pricebook2 | ncu
    OwnerId | Owner ID | ref User Owner | cu
    CreatedDate | Created Date | datetime |
    CreatedById | Created By ID | ref User CreatedBy |
    LastModifiedDate | Last Modified Date | datetime |
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy |
    SystemModstamp | System Modstamp | datetime | -
    LastActivityDate | Last Activity | date | n-
    LastStageChangeDate | Last Stage Change Date | datetime | n
    FiscalQuarter | Fiscal Quarter | int 8 | n-
    FiscalYear | Fiscal Year | int 8 | n-
    Fiscal | Fiscal Period | string 6 | n-
    ContactId | Contact ID | ref Contact | nc
    ContractId | Contract ID | ref Contract Contract | ncu
    LastViewedDate | Last Viewed Date | datetime | n-
    LastReferencedDate | Last Referenced Date | datetime | n-
    HasOpenActivity | Has Open Activity | boolean | -
    HasOverdueTask | Has Overdue Task | boolean | -
    LastAmountChangedHistoryId | Opportunity History ID | ref OpportunityHistory LastAmountChangedHistory | n
    LastCloseDateChangedHistoryId | Opportunity History ID | ref OpportunityHistory LastCloseDateChangedHistory | n
";

const ACCOUNT: &str = "
    Id | Account ID | id | -
    IsDeleted | Deleted | boolean | -
    MasterRecordId | Master Record ID | ref Account MasterRecord | n-
    Name | Account Name | string 255 | cu
    Type | Account Type | picklist AccountType | ncu
    ParentId | Parent Account ID | ref Account Parent | ncu
    BillingStreet | Billing Street | textarea 255 | ncu
    BillingCity | Billing City | string 40 | ncu
    BillingState | Billing State/Province | string 80 | ncu
    BillingPostalCode | Billing Zip/Postal Code | string 20 | ncu
    BillingCountry | Billing Country | string 80 | ncu
    BillingLatitude | Billing Latitude | double 18 15 | ncu
    BillingLongitude | Billing Longitude | double 18 15 | ncu
    BillingGeocodeAccuracy | Billing Geocode Accuracy | restricted Accuracy | ncu
    BillingAddress | Billing Address | address | n
    ShippingStreet | Shipping Street | textarea 255 | ncu
    ShippingCity | Shipping City | string 40 | ncu
    ShippingState | Shipping State/Province | string 80 | ncu
    ShippingPostalCode | Shipping Zip/Postal Code | string 20 | ncu
    ShippingCountry | Shipping Country | string 80 | ncu
    ShippingLatitude | Shipping Latitude | double 18 15 | ncu
    ShippingLongitude | Shipping Longitude | double 18 15 | ncu
    ShippingGeocodeAccuracy | Shipping Geocode Accuracy | restricted Accuracy | ncu
    ShippingAddress | Shipping Address | address | n
    Phone | Account Phone | phone 40 | ncu
    Fax | Account Fax | phone 40 | ncu
    AccountNumber | Account Number | string 40 | ncu
    Website | Website | url 255 | ncu
    PhotoUrl | Photo URL | url 255 | n-
    Sic | SIC Code | string 20 | ncu
    Industry | Industry | picklist Industry | ncu
    AnnualRevenue | Annual Revenue | currency 18 0 | ncu
    NumberOfEmployees | Employees | int 8 | ncu
    Ownership | Ownership | picklist Ownership | ncu
    TickerSymbol | Ticker Symbol | string 20 | ncu
    Description | Account Description | textarea 32000 | ncu
    Rating | Account Rating | picklist Rating | ncu
    Site | Account Site | string 80 | ncu
    OwnerId | Owner ID | ref User Owner | cu
    CreatedDate | Created Date | datetime |
    CreatedById | Created By ID | ref User CreatedBy |
    LastModifiedDate | Last Modified Date | datetime |
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy |
    SystemModstamp | System Modstamp | datetime | -
    LastActivityDate | Last Activity | date | n-
    LastViewedDate | Last Viewed Date | datetime | n-
    LastReferencedDate | Last Referenced Date | datetime | n-
    Jigsaw | Data.com Key | string 20 | ncu
    JigsawCompanyId | Jigsaw Company ID | string 20 | n
    AccountSource | Account Source | picklist LeadSource | ncu
    SicDesc | SIC Description | string 80 | ncu
";

/// Contacts are here for enrichment that runs without a person. A recorded schema tells the places in
/// events of the fields up to Fax and MobilePhone, of Email, Title, OwnerId and the system fields; between them
/// the order is that of the object reference.
const CONTACT: &str = "
    Id | Contact ID | id | -
    IsDeleted | Deleted | boolean | -
    MasterRecordId | Master Record ID | ref Contact MasterRecord | n-
    AccountId | Account ID | ref Account Account | ncu
    IsPersonAccount | Is Person Account | boolean |
    LastName | Last Name | string 80 | cu
    FirstName | First Name | string 40 | ncus
    Salutation | Salutation | picklist Salutation | ncus
    Name | Full Name | string 121 |
    OtherStreet | Other Street | textarea 255 | ncu
    OtherCity | Other City | string 40 | ncu
    OtherState | Other State/Province | string 80 | ncu
    OtherPostalCode | Other Zip/Postal Code | string 20 | ncu
    OtherCountry | Other Country | string 80 | ncu
    OtherLatitude | Other Latitude | double 18 15 | ncu
    OtherLongitude | Other Longitude | double 18 15 | ncu
    OtherGeocodeAccuracy | Other Geocode Accuracy | restricted Accuracy | ncu
    OtherAddress | Other Address | address | n
    MailingStreet | Mailing Street | textarea 255 | ncu
    MailingCity | Mailing City | string 40 | ncu
    MailingState | Mailing State/Province | string 80 | ncu
    MailingPostalCode | Mailing Zip/Postal Code | string 20 | ncu
    MailingCountry | Mailing Country | string 80 | ncu
    MailingLatitude | Mailing Latitude | double 18 15 | ncu
    MailingLongitude | Mailing Longitude | double 18 15 | ncu
    MailingGeocodeAccuracy | Mailing Geocode Accuracy | restricted Accuracy | ncu
    MailingAddress | Mailing Address | address | n
    Phone | Business Phone | phone 40 | ncu
    Fax | Business Fax | phone 40 | ncu
    MobilePhone | Mobile Phone | phone 40 | ncu
    HomePhone | Home Phone | phone 40 | ncu
    OtherPhone | Other Phone | phone 40 | ncu
    AssistantPhone | Asst. Phone | phone 40 | ncu
    ReportsToId | Reports To ID | ref Contact ReportsTo | ncu
    Email | Email | email 80 | ncu
    Title | Title | string 128 | ncu
    Department | Department | string 80 | ncu
    AssistantName | Assistant's Name | string 40 | ncu
    LeadSource | Lead Source | picklist LeadSource | ncu
    Birthdate | Birthdate | date | ncu
    Description | Description | textarea 32000 | ncu
    OwnerId | Owner ID | ref User Owner | cu
    HasOptedOutOfEmail | Email Opt Out | boolean | cu
    HasOptedOutOfFax | Fax Opt Out | boolean | cu
    DoNotCall | Do Not Call | boolean | cu
    CreatedDate | Created Date | datetime |
    CreatedById | Created By ID | ref User CreatedBy |
    LastModifiedDate | Last Modified Date | datetime |
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy |
    SystemModstamp | System Modstamp | datetime | -
    LastActivityDate | Last Activity | date | n-
    LastViewedDate | Last Viewed Date | datetime | n-
    LastReferencedDate | Last Referenced Date | datetime | n-
";

/// Cases are here for what `countersign metadata generate` writes for further objects.
const CASE: &str = "
    Id | Case ID | id | -
    IsDeleted | Deleted | boolean | -
    MasterRecordId | Master Record ID | ref Case MasterRecord | n-
    CaseNumber | Case Number | string 30 |
    ContactId | Contact ID | ref Contact Contact | ncu
    AccountId | Account ID | ref Account Account | ncu
    ParentId | Parent Case ID | ref Case Parent | ncu
    SuppliedName | Name | string 80 | ncu
    SuppliedEmail | Email Address | email 80 | ncu
    SuppliedPhone | Phone | string 40 | ncu
    SuppliedCompany | Company | string 80 | ncu
    Type | Case Type | picklist CaseType | ncu
    Status | Status | picklist CaseStatus | ncus
    Reason | Case Reason | picklist CaseReason | ncu
    Origin | Case Origin | picklist CaseOrigin | ncu
    Subject | Subject | string 255 | ncu
    Priority | Priority | picklist CasePriority | ncu
    Description | Description | textarea 32000 | ncu
    IsClosed | Closed | boolean |
    ClosedDate | Closed Date | datetime | n
    IsEscalated | Escalated | boolean | cu
    OwnerId | Owner ID | ref Group,User Owner | cu
    CreatedDate | Created Date | datetime |
    CreatedById | Created By ID | ref User CreatedBy |
    LastModifiedDate | Last Modified Date | datetime |
    LastModifiedById | Last Modified By ID | ref User LastModifiedBy |
    SystemModstamp | System Modstamp | datetime | -
    LastViewedDate | Last Viewed Date | datetime | n-
    LastReferencedDate | Last Referenced Date | datetime | n-
";

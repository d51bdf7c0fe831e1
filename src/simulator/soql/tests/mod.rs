//! Queries against a whole org: what is found, what is refused and how.

mod errors;
mod filters;
mod pages;
mod tooling;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{QueryOptions, QueryPage, SoqlError, execute};
use crate::{
    clock::Clock,
    simulator::{
        Org, OrgOptions, UserContext, WriteOp, WriteOptions, WriteRow,
        metadata::{Package, PackageObject},
        model::{FieldDef, FieldKind, PicklistValue},
    },
};

/// A Wednesday.
const NOW: &str = "2026-05-13T10:00:00Z";

/// An org with three custom fields on Lead and no records.
struct World {
    org: Org,
    admin: UserContext,
}

impl World {
    fn new() -> Self {
        let clock = Clock::manual(NOW.parse().expect("a moment"));
        let org = Org::new(OrgOptions::new(clock, package())).expect("the test package deploys");
        let admin = org.user("admin").expect("every org has an admin");
        Self { org, admin }
    }

    /// Seven leads in order of their ids; amounts and texts chosen for the tests.
    fn with_leads() -> Self {
        let world = Self::new();
        for (last, company, status, more) in [
            (
                "Ash",
                "Example Widgets Ltd",
                "Working - Contacted",
                json!({"AnnualRevenue": 1000, "City": "Ghent"}),
            ),
            ("Birch", "example gadgets", "Open - Not Contacted", json!({"AI_Gate_Pending__c": true})),
            ("Cedar", "O'Hara & Sons", "Open - Not Contacted", json!({"AnnualRevenue": 1001})),
            (
                "dogwood",
                "100% Cotton",
                "Working - Contacted",
                json!({"Topics__c": "Price;Date", "Email": "d@example.com"}),
            ),
            (
                "Elm",
                "Under_score",
                "Closed - Not Converted",
                json!({"AnnualRevenue": 99, "Topics__c": "Price"}),
            ),
            ("Fir", "Éclair Bakery", "Made-up status", json!({"AI_Gate_Pending__c": true})),
            ("Gum", "back\\slash", "Working - Contacted", json!({"Seen_On__c": "2026-05-12"})),
        ] {
            let mut fields = json!({"LastName": last, "Company": company, "Status": status});
            fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            world.create("Lead", &fields);
        }
        world
    }

    fn create(&self, object: &str, fields: &Value) -> String {
        self.write(WriteOp::Create, object, None, fields)
    }

    fn write(&self, op: WriteOp, object: &str, id: Option<&str>, fields: &Value) -> String {
        let fields: Map<String, Value> = fields.as_object().cloned().unwrap_or_default();
        let row = WriteRow { op, object: object.to_owned(), id: id.map(str::to_owned), fields };
        let result = self.org.write(&self.admin, &WriteOptions::default(), vec![row]).remove(0);
        assert_eq!(result.errors, [], "the test record is saved");
        result.id.expect("a saved row has an id")
    }

    fn query(&self, soql: &str) -> Result<QueryPage, SoqlError> {
        execute(&self.org, &self.admin, soql, &QueryOptions::new("67.0"))
    }

    fn records(&self, soql: &str) -> Vec<Value> {
        let page = self.query(soql).unwrap_or_else(|error| panic!("{soql}: {error}"));
        assert_eq!(page.total_size, page.records.len(), "a small result has one page");
        page.records
    }

    /// The last names that a condition finds, in order.
    fn names(&self, rest: &str) -> Vec<String> {
        let records = self.records(&format!("SELECT LastName FROM Lead {rest}"));
        records.iter().map(|record| record["LastName"].as_str().unwrap().to_owned()).collect()
    }
}

fn package() -> Package {
    let values = ["Price", "Date"].map(|value| PicklistValue {
        value: value.to_owned(),
        label: value.to_owned(),
        active: true,
        default: false,
    });
    let fields = vec![
        field("AI_Gate_Pending__c", FieldKind::Checkbox(false)),
        field("Topics__c", FieldKind::MultiPicklist(values.to_vec())),
        field("Seen_On__c", FieldKind::Date),
        field("Notes__c", FieldKind::LongText(32_000)),
    ];
    let lead = PackageObject { label: None, fields, rules: Vec::new(), record_types: Vec::new() };
    Package { objects: BTreeMap::from([("Lead".to_owned(), lead)]), ..Package::default() }
}

fn field(name: &str, kind: FieldKind) -> FieldDef {
    FieldDef {
        name: name.to_owned(),
        label: name.to_owned(),
        kind,
        custom_id: Some("00N000000000001AAA".to_owned()),
        nillable: true,
        createable: true,
        updateable: true,
        has_fls: true,
        external_id: false,
        unique: false,
        in_change_events: true,
    }
}

//! The org's people: who they are and what they may see and do.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    flow::FlowDef,
    metadata::{FieldAccess, ObjectAccess, Package, PermissionSetDef},
    model::ObjectDef,
    schema::activities::ACTIVITIES,
    settings::Settings,
};
use crate::salesforce::names::{heartbeat, permission};

/// A seeded user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInfo {
    /// `admin`, `proposer`, `promoter`, `reviewer`, `reviewer2`, `manager`, `breaker` or `outsider`.
    pub role: String,
    /// 18-character id.
    pub user_id: String,
    /// `reviewer@countersign.example`
    pub username: String,
    /// Full name.
    pub name: String,
    /// Profile name.
    pub profile: String,
    /// Names of the permission sets assigned.
    pub permission_sets: Vec<String>,
}

/// Role, first name, last name, profile, permission sets.
pub(super) type Person = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

/// System Administrator: sees and edits everything, holds no custom permission.
pub(super) const ADMIN_PROFILE: &str = "System Administrator";
/// Reads the sales objects; whatever else comes from permission sets.
pub(super) const API_PROFILE: &str = "Minimum Access - API Only Integrations";
/// Every profile.
pub(super) const PROFILES: [&str; 4] = [ADMIN_PROFILE, API_PROFILE, STANDARD_PROFILE, INTEGRATION_PROFILE];
/// Licence of people, and of integrations.
pub(super) const LICENCES: [&str; 2] = ["Salesforce", "Salesforce Integration"];
/// The profile of a user that an admin made an integration of.
pub(super) const INTEGRATION_PROFILE: &str = "Salesforce API Only System Integrations";
/// Reads, creates and edits the sales objects and their standard fields.
pub(super) const STANDARD_PROFILE: &str = "Standard User";

/// The users of every simulated org. `manager` is everybody's manager, and the delegated
/// approver of `outsider`; `reviewer` and `reviewer2` are members of the group AI Reviewers.
pub(super) const PEOPLE: &[Person] = &[
    ("admin", "Ada", "Admin", ADMIN_PROFILE, &[]),
    ("proposer", "Percy", "Proposer", API_PROFILE, &["AI_Proposer"]),
    ("promoter", "Petra", "Promoter", API_PROFILE, &["AI_Promoter"]),
    ("reviewer", "Rita", "Reviewer", STANDARD_PROFILE, &["AI_Reviewer"]),
    ("outsider", "Otto", "Outsider", STANDARD_PROFILE, &[]),
    ("reviewer2", "Rosa", "Reviewer", STANDARD_PROFILE, &["AI_Reviewer"]),
    ("manager", "Mona", "Manager", STANDARD_PROFILE, &["AI_Reviewer"]),
    ("breaker", "Bea", "Breakglass", STANDARD_PROFILE, &["AI_Break_Glass"]),
];

/// Members of the public group that may decide on every record.
pub(super) const REVIEWERS: &[&str] = &["reviewer", "reviewer2"];

/// The objects that sales profiles open.
pub(super) const SALES_OBJECTS: &[&str] = &["Lead", "Opportunity", "Account", "Contact"];

/// Whether a person with these sets was also given this one: an admin assigns the sets of a
/// further object (`AI_Promoter_Contact`) to whoever has the shipped ones.
pub(super) fn given(sets: &[&str], set: &str) -> bool {
    sets.iter().any(|own| set.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')))
}

/// What one user may see and do, worked out once at deploy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Access {
    all: bool,
    objects: BTreeMap<String, ObjectAccess>,
    fields: BTreeMap<String, BTreeMap<String, FieldAccess>>,
    custom: BTreeSet<String>,
    flows: BTreeSet<String>,
}

impl Access {
    pub(super) fn new(
        profile: &str,
        permission_sets: &[&str],
        objects: &[Arc<ObjectDef>],
        package: &Package,
    ) -> Self {
        let sets: Vec<&PermissionSetDef> =
            package.permission_sets.iter().filter(|set| given(permission_sets, &set.name)).collect();
        let mut access = Self {
            all: profile == ADMIN_PROFILE,
            custom: sets.iter().flat_map(|set| set.custom_permissions.iter().cloned()).collect(),
            flows: sets.iter().flat_map(|set| set.flows.iter().cloned()).collect(),
            ..Self::default()
        };
        for object in objects {
            let allowed = object_access(profile, object, &sets);
            access.fields.insert(object.name.clone(), field_access(profile, object, allowed, &sets));
            access.objects.insert(object.name.clone(), allowed);
        }
        access
    }
}

fn object_access(profile: &str, object: &ObjectDef, sets: &[&PermissionSetDef]) -> ObjectAccess {
    let sales = SALES_OBJECTS.contains(&object.name.as_str());
    let edits = sales && profile == STANDARD_PROFILE;
    // Setup objects and histories can be read by everybody who can log in.
    let mut sum =
        ObjectAccess { read: sales || !object.dml, create: edits, edit: edits, ..ObjectAccess::default() };
    // Tasks and events take no object permissions: whoever logs in reads, user permissions open the rest.
    let edits = [("Task", "EditTask"), ("Event", "EditEvent")].into_iter().any(|(activity, wanted)| {
        let granted = sets.iter().any(|set| set.user_permissions.iter().any(|name| name == wanted));
        object.name == activity && (granted || profile == STANDARD_PROFILE)
    });
    sum.read |= ACTIVITIES.contains(&object.name.as_str());
    sum.create |= edits;
    sum.edit |= edits;
    for more in sets.iter().filter_map(|set| set.objects.get(&object.name)) {
        sum.read |= more.read;
        sum.create |= more.create;
        sum.edit |= more.edit;
        sum.delete |= more.delete;
        sum.view_all |= more.view_all || more.modify_all;
        sum.modify_all |= more.modify_all;
    }
    sum
}

fn field_access(
    profile: &str,
    object: &ObjectDef,
    allowed: ObjectAccess,
    sets: &[&PermissionSetDef],
) -> BTreeMap<String, FieldAccess> {
    let mut fields = BTreeMap::new();
    for field in &object.fields {
        // Of users only the own record, and of that only custom fields: see `save::own_user`.
        let own_record = object.name == heartbeat::OBJECT && field.custom_id.is_some();
        let writes = allowed.edit || allowed.create || own_record;
        let mut sum = if !field.has_fls {
            FieldAccess { read: allowed.read, edit: writes }
        } else if field.custom_id.is_some() {
            // A deployed field is hidden until a permission set opens it; settings are readable.
            FieldAccess { read: !object.dml, edit: false }
        } else {
            FieldAccess { read: allowed.read, edit: writes && profile == STANDARD_PROFILE }
        };
        let key = format!("{}.{}", object.name, field.name);
        for more in sets.iter().filter_map(|set| set.fields.get(&key)) {
            sum.read |= more.read || more.edit;
            sum.edit |= more.edit;
        }
        sum.read &= allowed.read;
        sum.edit &= writes;
        fields.insert(field.name.clone(), sum);
    }
    fields
}

/// The fields of a sales object that a profile opens by itself and field-level security can close, and
/// whether they can be edited.
pub(super) fn profile_fields(profile: &str, object: &ObjectDef) -> Vec<(String, bool)> {
    let all = profile == ADMIN_PROFILE;
    let allowed = profile_object(profile);
    let access = field_access(profile, object, allowed, &[]);
    let fields = object.fields.iter().filter(|field| field.has_fls);
    let open = fields.filter(|field| all || access[&field.name].read);
    open.map(|field| (field.name.clone(), all || access[&field.name].edit)).collect()
}

/// What a profile gives on a sales object.
pub(super) fn profile_object(profile: &str) -> ObjectAccess {
    let (all, edits) = (profile == ADMIN_PROFILE, matches!(profile, ADMIN_PROFILE | STANDARD_PROFILE));
    ObjectAccess { read: true, create: edits, edit: edits, delete: all, view_all: all, modify_all: all }
}

/// A logged-in user, as every call carries it. Object and field names are taken in the
/// org's own letter case, as `ObjectDef` and `FieldDef` have them.
#[derive(Debug, Clone)]
pub struct UserContext {
    /// 18-character id.
    pub user_id: String,
    /// Username.
    pub username: String,
    /// Role of the seeded user.
    pub role: String,
    pub(super) access: Arc<Access>,
}

impl UserContext {
    /// Sees and changes everything, metadata as well.
    pub(super) fn is_admin(&self) -> bool {
        self.access.all
    }

    fn object(&self, object: &str) -> ObjectAccess {
        self.access.objects.get(object).copied().unwrap_or_default()
    }

    /// May see the object at all.
    pub fn can_read_object(&self, object: &str) -> bool {
        self.access.all || self.object(object).read
    }

    /// May change rows.
    pub fn can_edit_object(&self, object: &str) -> bool {
        self.access.all || self.object(object).edit
    }

    /// May create rows.
    pub fn can_create(&self, object: &str) -> bool {
        self.access.all || self.object(object).create
    }

    /// May delete rows.
    pub fn can_delete(&self, object: &str) -> bool {
        self.access.all || self.object(object).delete
    }

    /// Holds View All Records, which change events need.
    pub fn can_view_all(&self, object: &str) -> bool {
        self.access.all || self.object(object).view_all
    }

    /// May see the field.
    pub fn can_read_field(&self, object: &str, field: &str) -> bool {
        self.access.all || self.field(object, field).read
    }

    /// May change the field, if the field can be changed at all.
    pub fn can_edit_field(&self, object: &str, field: &str) -> bool {
        self.access.all || self.field(object, field).edit
    }

    fn field(&self, object: &str, field: &str) -> FieldAccess {
        self.access.fields.get(object).and_then(|fields| fields.get(field)).copied().unwrap_or_default()
    }

    /// Sees Setup, and so what tooling queries tell. A real org asks for View Setup and
    /// Configuration, which no permission set of the package grants: the setting
    /// `promoter-sees-setup` says whether its promoter has it from elsewhere.
    pub fn sees_setup(&self, settings: &Settings) -> bool {
        self.access.all || settings.promoter_sees_setup && self.has_permission(permission::PROMOTER)
    }

    /// May start the flow: one that asks for it must be in a permission set of the user.
    pub fn may_run(&self, flow: &FlowDef) -> bool {
        self.access.all || !flow.restricted || self.access.flows.contains(&flow.name)
    }

    /// Holds the custom permission.
    pub fn has_permission(&self, custom: &str) -> bool {
        self.access.custom.contains(custom)
    }
}

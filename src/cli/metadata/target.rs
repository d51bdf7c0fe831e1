//! Which object and fields a command is about.

use crate::{
    cli::ExitWith,
    package::{FieldFacts, Governed, PackageError},
    salesforce::{DescribedField, ObjectDescription, Reader},
};

/// An object and its fields, beside the shipped ones.
#[derive(Debug, Clone, clap::Args)]
pub struct Target {
    /// API name of the object, for example Case or Renewal__c.
    #[arg(long, value_name = "OBJECT")]
    pub object: Option<String>,
    /// A field to govern; several times for several. With a type, for example
    /// `Priority:picklist`, `Risk__c:number(5,2)` or `Note__c:text(80)`, no org is asked.
    #[arg(long = "field", value_name = "FIELD[:TYPE]", requires = "object")]
    pub fields: Vec<String>,
}

impl Target {
    /// Whether an org must be asked what the fields are.
    pub fn needs_org(&self) -> bool {
        self.fields.iter().any(|field| !field.contains(':'))
    }

    /// The governed object that is meant; the org is asked where a type is missing.
    pub async fn governed(&self, reader: Option<&Reader>) -> anyhow::Result<Option<Governed>> {
        let Some(object) = &self.object else { return Ok(None) };
        let shipped = Governed::find(object);
        if self.fields.is_empty()
            && let Some(shipped) = shipped
        {
            return Ok(Some(shipped));
        }
        if !self.needs_org() {
            let fields: Vec<FieldFacts> =
                self.fields.iter().map(|field| typed(field)).collect::<Result<_, _>>()?;
            let owner = [("OwnerId".to_owned(), "owner".to_owned())];
            let governed = Governed::derive(object, &fields, &owner).map_err(|error| refused(&error))?;
            return Ok(Some(governed));
        }
        let reader = reader.ok_or_else(|| {
            ExitWith::usage("give each field its type, as in Priority:picklist, or settings to reach the org")
        })?;
        let seen = reader.describe_all(object).await.map_err(|error| {
            anyhow::Error::new(error).context(format!(
                "describing {object}: does it exist, and may this identity read it? \
                 With types, as in Priority:picklist, no org is asked"
            ))
        })?;
        let fields: Vec<FieldFacts> =
            self.fields.iter().map(|field| facts(object, field, &seen)).collect::<Result<_, _>>()?;
        Ok(Some(Governed::derive(object, &fields, &required(&seen)).map_err(|error| refused(&error))?))
    }
}

/// What a describe tells of a field.
fn facts(object: &str, name: &str, seen: &ObjectDescription) -> anyhow::Result<FieldFacts> {
    if name.contains(':') {
        return Ok(typed(name)?);
    }
    let Some(field) = seen.fields.get(name) else {
        return Err(ExitWith::usage(format!(
            "field-missing: {object}.{name} does not exist, or this identity does not see it: \
             look at Setup > Object Manager > {object} > Fields, or give the type, as in {name}:picklist"
        ))
        .into());
    };
    let read_only = if field.calculated { Some("a formula or roll-up".to_owned()) } else { None };
    Ok(FieldFacts {
        name: field.name.clone(),
        kind: field.kind.clone(),
        length: field.length,
        precision: if field.kind == "int" { field.digits } else { field.precision },
        scale: field.scale,
        nillable: field.nillable,
        read_only,
    })
}

/// Standard fields that are always required: field-level security does not keep a proposer out.
fn required(seen: &ObjectDescription) -> Vec<(String, String)> {
    let always = |field: &&DescribedField| {
        !field.nillable
            && field.updateable
            && !field.name.ends_with("__c")
            && !matches!(field.kind.as_str(), "boolean" | "id")
    };
    let words = |field: &DescribedField| match field.name.as_str() {
        "OwnerId" => "owner".to_owned(),
        "LastName" | "Name" => "name".to_owned(),
        other => other.to_lowercase(),
    };
    seen.fields.values().filter(always).map(|field| (field.name.clone(), words(field))).collect()
}

/// `Risk__c:number(5,2)`
fn typed(text: &str) -> Result<FieldFacts, ExitWith> {
    let wrong = || {
        ExitWith::usage(format!(
            "field-type-unreadable: `{text}` is not FIELD:TYPE: types are picklist, text(LENGTH), email, phone, url, \
             number(DIGITS,DECIMALS), currency(..), percent(..), date and datetime"
        ))
    };
    let (name, kind) = text.split_once(':').ok_or_else(wrong)?;
    let (kind, sizes) = match kind.split_once('(') {
        Some((kind, rest)) => (kind, rest.strip_suffix(')').ok_or_else(wrong)?),
        None => (kind, ""),
    };
    let sizes: Vec<u32> = sizes
        .split(',')
        .filter(|part| !part.is_empty())
        .map(|part| part.trim().parse().map_err(|_| wrong()))
        .collect::<Result<_, _>>()?;
    let first = sizes.first().copied();
    let (rest_type, length) = match kind {
        "text" => ("string", first.unwrap_or(255)),
        "email" => ("email", 80),
        "phone" => ("phone", 40),
        "url" => ("url", 255),
        "number" => ("double", 0),
        other => (other, 0),
    };
    Ok(FieldFacts {
        name: name.to_owned(),
        kind: rest_type.to_owned(),
        length,
        precision: first.unwrap_or(18),
        scale: sizes.get(1).copied().unwrap_or(if kind == "currency" { 2 } else { 0 }),
        // Always-required standard fields are few; a custom field may be empty unless Setup says otherwise.
        nillable: !matches!(name, "Status" | "StageName" | "CloseDate" | "Name" | "LastName"),
        read_only: None,
    })
}

/// The words of a refusal with its code, and the exit code of a wrong command line.
fn refused(error: &PackageError) -> ExitWith {
    ExitWith::usage(format!("{}: {error}", error.code()))
}

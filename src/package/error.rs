//! Why nothing can be rendered for an object or a field.

/// A refusal; nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// Not an API name.
    #[error("`{name}` is not the API name of {what}: letters, digits and single underscores, as in Setup")]
    Name {
        /// What was given.
        name: String,
        /// An object or a field.
        what: &'static str,
    },
    /// Tasks and events have their custom fields on another object.
    #[error(
        "custom fields of {object} belong to the object Activity, so none can be rendered for it: govern a \
         field of the record that the activity is about, or have tasks made with `--object Task --create`"
    )]
    Activity {
        /// The object.
        object: String,
    },
    /// No field was named.
    #[error("no field of {object} is named: name at least one with --field")]
    NoField {
        /// The object.
        object: String,
    },
    /// One field was named twice.
    #[error("{object}.{field} is named twice: name each field one time")]
    FieldTwice {
        /// The object.
        object: String,
        /// The field.
        field: String,
    },
    /// The field is governed already.
    #[error("{object}.{field} is governed by the shipped package already: deploy salesforce-metadata")]
    Governed {
        /// The object.
        object: String,
        /// The field.
        field: String,
    },
    /// Its type cannot be governed.
    #[error(
        "{object}.{field} is of type {kind}: a governed field is a picklist, a text of at most 255 \
         characters, an e-mail, phone or URL, a number, currency or percent, a date or a date and time"
    )]
    FieldType {
        /// The object.
        object: String,
        /// The field.
        field: String,
        /// Its type.
        kind: String,
    },
    /// A formula or a system field.
    #[error("{object}.{field} cannot be written by anybody ({why}): choose the field that is written")]
    ReadOnly {
        /// The object.
        object: String,
        /// The field.
        field: String,
        /// For example `formula`.
        why: String,
    },
    /// A rule would be longer than Salesforce takes.
    #[error(
        "{rule} of {object} would have {length} characters, and Salesforce takes {most}: \
         govern fewer fields of this object"
    )]
    FormulaTooLong {
        /// The object.
        object: String,
        /// The rule.
        rule: String,
        /// Its length.
        length: usize,
        /// The limit.
        most: usize,
    },
}

impl PackageError {
    /// Stable kebab-case code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name { .. } => "api-name-invalid",
            Self::Activity { .. } => "object-is-activity",
            Self::NoField { .. } => "no-field",
            Self::FieldTwice { .. } => "field-twice",
            Self::Governed { .. } => "already-governed",
            Self::FieldType { .. } => "field-type-unsupported",
            Self::ReadOnly { .. } => "field-read-only",
            Self::FormulaTooLong { .. } => "formula-too-long",
        }
    }
}

/// Why a contract file is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContractError {
    /// No TOML, or an unknown or missing key.
    #[error("{reason}")]
    Malformed {
        /// Where, from 1.
        line: Option<usize>,
        /// What.
        reason: String,
    },
    /// Not an API name.
    #[error("`{0}` is no API name")]
    NotAName(String),
    /// A field of the contract that the org may have for something else.
    #[error("`{0}` is no custom field, and only custom fields are countersign's own")]
    NotCustom(String),
    /// Two names are one.
    #[error("`{0}` stands for two things")]
    Twice(String),
    /// No field, or several without the field that lists them.
    #[error("there is no governed field, or there are several and no `proposed_fields`")]
    Fields,
    /// A rule that must stand in the org.
    #[error("`rules` has no {0}, without which the org does not guard the fields")]
    Rule(&'static str),
    /// Not a governed field.
    #[error("`two_approvers` names `{0}`, which is no governed field of the object")]
    TwoApprovers(String),
}

impl ContractError {
    /// Stable kebab-case code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "contract-malformed",
            Self::NotAName(_) => "contract-name-invalid",
            Self::NotCustom(_) => "contract-not-custom",
            Self::Twice(_) => "contract-name-twice",
            Self::Fields => "contract-fields",
            Self::Rule(_) => "contract-rule-missing",
            Self::TwoApprovers(_) => "contract-two-approvers",
        }
    }
}

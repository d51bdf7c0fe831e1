//! What every step needs: the ledger, the org, the rules and the time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::{Mutex, RwLock};

use super::{WorkflowError, pacing::Pacing, pause::Pauses, people::People, recent::Recent, writers::Watched};
use crate::{
    clock::Clock,
    domain::{
        Digest, FieldName, Ground, ObjectName, ObjectSchema, RecordId, ownership::Ownership,
        policy::CreateRule, shadow::who::Named,
    },
    gate::Rules,
    ledger::{Ledger, Tx},
    salesforce::{
        Contracts, Reader,
        names::{MadeContract, ObjectContract},
    },
};

/// Shared by all steps of one org.
#[derive(Clone)]
pub struct Context {
    /// The ledger of this org.
    pub ledger: Ledger,
    /// Reads with the promoter's identity.
    pub reader: Reader,
    /// The rules in force.
    pub rules: Arc<Rules>,
    /// The time.
    pub clock: Clock,
    /// Users who may never decide.
    pub machine_users: Arc<Vec<RecordId>>,
    /// What the objects' fields are called.
    pub contracts: Contracts,
    schemas: Arc<RwLock<BTreeMap<ObjectName, Arc<Described>>>>,
    held: Arc<Mutex<BTreeSet<(ObjectName, RecordId)>>>,
    /// Objects that are left alone.
    pub pauses: Pauses,
    /// What the stream told lately.
    pub recent: Recent,
    /// Who was heard writing governed fields.
    pub watched: Watched,
    /// What waits for another try.
    pub pacing: Pacing,
    /// Which users are programs.
    pub people: People,
    /// Who may write governed fields besides the gate.
    pub ownership: Arc<Ownership>,
}

/// An object as the org describes it, with the digest computed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The description.
    pub schema: ObjectSchema,
    /// Its digest.
    pub digest: Digest,
    /// What its lanes rest on, without what runs on save; none where its records are only made.
    pub ground: Option<Ground>,
}

/// What a [`Context`] is made from.
pub struct ContextParts {
    /// The ledger of this org.
    pub ledger: Ledger,
    /// Reads with the promoter's identity.
    pub reader: Reader,
    /// The rules in force.
    pub rules: Rules,
    /// The time.
    pub clock: Clock,
    /// Users who may never decide: the promoter's and the proposer's own.
    pub machine_users: Vec<RecordId>,
    /// What the objects' fields are called.
    pub contracts: Contracts,
    /// Users whom the settings name as programs or people.
    pub named: Named,
    /// Who may write governed fields besides the gate.
    pub ownership: Ownership,
}

impl Context {
    /// Joins the parts; [`Context::describe`] must run before the first decision.
    pub fn new(parts: ContextParts) -> Self {
        Self {
            ledger: parts.ledger,
            reader: parts.reader,
            rules: Arc::new(parts.rules),
            clock: parts.clock,
            machine_users: Arc::new(parts.machine_users),
            contracts: parts.contracts,
            schemas: Arc::default(),
            held: Arc::default(),
            pauses: Pauses::default(),
            recent: Recent::default(),
            watched: Watched::default(),
            pacing: Pacing::default(),
            people: People::new(parts.named),
            ownership: Arc::new(parts.ownership),
        }
    }

    /// Contracts of the objects that the policy names. Others are never read.
    pub fn governed(&self) -> impl Iterator<Item = &'static ObjectContract> + '_ {
        self.contracts.governed(self.rules.policy())
    }

    /// Contracts of the objects of which the policy lets records be made.
    pub fn made(&self) -> impl Iterator<Item = &'static MadeContract> + '_ {
        let named = self.rules.policy().objects.values().filter(|policy| !policy.create.is_empty());
        named.filter_map(|policy| self.contracts.made(policy.object.as_str()))
    }

    /// Asks the org what the governed objects look like now.
    pub async fn describe(&self) -> Result<(), WorkflowError> {
        for contract in self.governed() {
            self.describe_one(contract).await?;
        }
        self.describe_made().await
    }

    /// The same for the objects whose records are made.
    pub async fn describe_made(&self) -> Result<(), WorkflowError> {
        for contract in self.made() {
            let rules =
                self.rules.policy().objects.values().filter(|it| it.object.as_str() == contract.object);
            let named = rules.flat_map(|it| &it.create).flat_map(CreateRule::named_fields).cloned();
            let fields: BTreeSet<FieldName> = named.collect();
            let fields: Vec<FieldName> = fields.into_iter().collect();
            let schema = self.reader.describe_made(contract, &fields).await?;
            let described = Described { digest: schema.digest()?, schema, ground: None };
            let object = described.schema.object.clone();
            self.schemas.write().await.insert(object, Arc::new(described));
        }
        Ok(())
    }

    /// The same for one of them.
    pub async fn describe_one(&self, contract: &'static ObjectContract) -> Result<(), WorkflowError> {
        let (schema, ground) = self.reader.survey(contract).await?;
        let described = Described { digest: schema.digest()?, schema, ground: Some(ground) };
        let object = described.schema.object.clone();
        self.schemas.write().await.insert(object, Arc::new(described));
        Ok(())
    }

    /// The last description of an object; without one the gate refuses.
    pub async fn schema(&self, object: &ObjectName) -> Option<Arc<Described>> {
        self.schemas.read().await.get(object).cloned()
    }

    /// Keeps the rules in force before anything is judged, so that reports never tell without them.
    pub async fn keep_rules(&self) -> Result<(), WorkflowError> {
        let mut tx = self.ledger.begin("rules in force").await?;
        tx.keep_policy(self.rules.digest(), self.rules.policy()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Keeps what the verdicts of this transaction rest on, so that they can be made again.
    pub async fn keep_basis(
        &self,
        tx: &mut Tx<'_>,
        described: Option<&Described>,
    ) -> Result<(), WorkflowError> {
        tx.keep_policy(self.rules.digest(), self.rules.policy()).await?;
        if let Some(described) = described {
            tx.keep_schema(&described.digest, &described.schema).await?;
        }
        Ok(())
    }

    /// Remembers a record whose proposal waits for the end of another promotion.
    pub async fn hold(&self, object: &ObjectName, record: &RecordId) {
        self.held.lock().await.insert((object.clone(), record.clone()));
    }

    /// The records that wait so, at most `most`; they are not remembered any more.
    pub async fn take_held(&self, most: usize) -> Vec<(ObjectName, RecordId)> {
        let mut held = self.held.lock().await;
        let taken: Vec<_> = held.iter().take(most).cloned().collect();
        for one in &taken {
            held.remove(one);
        }
        taken
    }

    /// Whether a user is one of the daemon's own.
    pub fn is_machine(&self, user: Option<&RecordId>) -> bool {
        user.is_some_and(|user| self.machine_users.contains(user))
    }
}

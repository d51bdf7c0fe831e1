//! Deploys of one org: each runs on a thread of its own, one after another, and can be
//! asked for and canceled meanwhile. They are forgotten when the process ends.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use super::{
    super::{ids, org::Org, users::UserContext},
    Refusal, archive,
    options::Options,
    report::{Message, Remark, Report, Status},
    run::{Ended, Plan},
};

/// How often a waiting deploy looks whether it was canceled.
const STEP: Duration = Duration::from_millis(20);

/// All deploys since the start.
#[derive(Debug, Default)]
pub(in crate::simulator) struct Deploys {
    jobs: Mutex<BTreeMap<String, Job>>,
    /// Held by the deploy that runs.
    turn: Arc<Mutex<()>>,
}

#[derive(Debug, Clone)]
struct Job {
    report: Report,
    plan: Option<Arc<Plan>>,
}

/// What a deploy starts from.
pub(super) enum Work {
    /// A zip file.
    Zip(Vec<u8>),
    /// A validation that succeeded.
    Validated(Arc<Plan>),
}

impl Deploys {
    fn jobs(&self) -> MutexGuard<'_, BTreeMap<String, Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, id: &str) -> Option<Report> {
        let id = ids::complete(id)?;
        self.jobs().get(&id).map(|job| job.report.clone())
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.jobs().get_mut(id) {
            change(job);
        }
    }
}

/// Only who may change all metadata may deploy; of the org's people that is the admin.
pub(super) fn may_deploy(user: &UserContext) -> Result<(), Refusal> {
    if user.is_admin() {
        return Ok(());
    }
    let words =
        "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions";
    Err(Refusal::new("INSUFFICIENT_ACCESS", words))
}

/// Queues a deploy and gives its report as of now.
pub(super) fn start(org: &Org, user: &UserContext, options: Options, work: Work) -> Report {
    let now = org.now_seconds();
    let names = org.users().into_iter().find(|info| info.user_id == user.user_id).map(|info| info.name);
    let mut jobs = org.0.deploys.jobs();
    let number = u64::try_from(jobs.len()).unwrap_or(u64::MAX) + 1;
    let report = Report {
        id: ids::nth("0Af", number),
        options: options.clone(),
        status: Status::Pending,
        created_by: user.user_id.clone(),
        created_by_name: names.unwrap_or_default(),
        canceled_by: None,
        created: now,
        started: None,
        changed: now,
        completed: None,
        total: 0,
        messages: Vec::new(),
        error: None,
    };
    jobs.insert(report.id.clone(), Job { report: report.clone(), plan: None });
    drop(jobs);
    let (org, id) = (org.clone(), report.id.clone());
    thread::spawn(move || {
        let turn = Arc::clone(&org.0.deploys.turn);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        work_off(&org, &id, &options, work);
    });
    report
}

fn work_off(org: &Org, id: &str, options: &Options, work: Work) {
    let deploys = &org.0.deploys;
    if wait(org, id) {
        return;
    }
    deploys.change(id, |job| {
        job.report.status = Status::InProgress;
        job.report.started = Some(org.now_seconds());
        job.report.changed = org.now_seconds();
    });
    let plan = match work {
        Work::Zip(bytes) => {
            archive::open(&bytes).map(|archive| Arc::new(Plan::new(&archive, options, &org.package())))
        }
        Work::Validated(plan) => Ok(plan),
    };
    let plan = match plan {
        Ok(plan) => plan,
        Err(words) => {
            let remark = Some(Remark { warning: false, text: words, place: None });
            let name = "package.xml".to_owned();
            let message = Message { full_name: name.clone(), file: name, remark, ..Message::default() };
            return finish(org, id, Ended { status: Status::Failed, messages: vec![message] });
        }
    };
    deploys.change(id, |job| {
        job.report.total = plan.len();
        job.plan = Some(Arc::clone(&plan));
    });
    if wait(org, id) {
        return;
    }
    finish(org, id, plan.run(org, options));
}

/// Waits half of the time that a deploy takes at least; true when it was canceled.
fn wait(org: &Org, id: &str) -> bool {
    let mut left = Duration::from_millis(org.settings().deploy_millis / 2);
    loop {
        let canceling = org.0.deploys.report(id).is_none_or(|report| report.status == Status::Canceling);
        if canceling {
            finish(org, id, Ended { status: Status::Canceled, messages: Vec::new() });
            return true;
        }
        if left.is_zero() {
            return false;
        }
        let step = left.min(STEP);
        thread::sleep(step);
        left -= step;
    }
}

fn finish(org: &Org, id: &str, ended: Ended) {
    let now = org.now_seconds();
    org.0.deploys.change(id, |job| {
        job.report.status = ended.status;
        job.report.messages = ended.messages;
        job.report.completed = Some(now);
        job.report.changed = now;
    });
}

/// How a deploy stands.
pub(super) fn status(org: &Org, id: &str) -> Result<Report, Refusal> {
    org.0.deploys.report(id).ok_or_else(|| unknown(id))
}

/// Cancels a deploy that has not ended.
pub(super) fn cancel(org: &Org, user: &UserContext, id: &str) -> Result<Report, Refusal> {
    let report = status(org, id)?;
    if report.status.done() {
        return Err(Refusal::new(
            "INVALID_ID_FIELD",
            format!("Deployment {} is already completed", report.id),
        ));
    }
    org.0.deploys.change(&report.id, |job| {
        if !job.report.status.done() {
            job.report.status = Status::Canceling;
            job.report.canceled_by = Some((user.user_id.clone(), user.username.clone()));
        }
    });
    status(org, id)
}

/// Deploys what a validation found good, without checking the tests again.
pub(super) fn quick(org: &Org, user: &UserContext, id: &str) -> Result<Report, Refusal> {
    let report = status(org, id)?;
    let job = org.0.deploys.jobs().get(&report.id).cloned();
    let fits = report.options.check_only && report.status == Status::Succeeded && report.options.runs_tests();
    let Some(plan) = job.and_then(|job| job.plan).filter(|_| fits) else {
        let words = "The validation does not qualify for a quick deploy: it must have succeeded, with tests";
        return Err(Refusal::new("INVALID_ID_FIELD", words));
    };
    let options = Options { check_only: false, ..report.options };
    Ok(start(org, user, options, Work::Validated(plan)))
}

fn unknown(id: &str) -> Refusal {
    Refusal::new("INVALID_CROSS_REFERENCE_KEY", format!("invalid cross reference id: {id}"))
}

//! The way to the org, with everything that can happen on it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    body::{Body, to_bytes},
    http::{Request, Response},
};
use countersign::{
    domain::PromotionId,
    ledger::Ledger,
    salesforce::{Exchange, SalesforceError},
    simulator::{Fault, FaultAction, FaultPoint, server::Inside},
};
use rand::Rng as _;
use serde_json::Value;
use tokio::sync::Notify;

use crate::scene::{Late, Scene, Shared};

/// Under which address the org is known.
pub const HOST: &str = "http://127.0.0.1:8";

/// Where a daemon can be made to stand still.
#[derive(Debug, Default)]
pub struct Lot {
    wanted: AtomicBool,
    pub parked: Notify,
    pub release: Notify,
}

impl Lot {
    /// The next write stands still until it is released.
    pub fn want(&self) {
        self.wanted.store(true, Ordering::SeqCst);
    }

    pub fn forget(&self) {
        self.wanted.store(false, Ordering::SeqCst);
    }

    async fn stand(&self) {
        if self.wanted.swap(false, Ordering::SeqCst) {
            self.parked.notify_one();
            self.release.notified().await;
        }
    }
}

/// One identity's way to the org.
#[derive(Clone)]
pub struct Net {
    pub scene: Shared,
    pub inside: Inside,
    /// For looking whether an intent was there before its effect.
    pub seen: Arc<tokio::sync::OnceCell<Ledger>>,
    pub lot: Option<Arc<Lot>>,
}

impl std::fmt::Debug for Net {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Net")
    }
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Pass,
    NotSent,
    Lost,
    ReplyLost,
    Late,
    UnavailableBefore,
    UnavailableAfter,
    TokenExpired,
    RowLocked,
    LimitReached,
    Raced,
}

const FATES: &[(Fate, &str)] = &[
    (Fate::NotSent, "fault: not connected"),
    (Fate::Lost, "fault: request lost"),
    (Fate::ReplyLost, "fault: reply lost after the effect"),
    (Fate::Late, "fault: request carried out late"),
    (Fate::UnavailableBefore, "fault: 503 before the effect"),
    (Fate::UnavailableAfter, "fault: 503 after the effect"),
    (Fate::TokenExpired, "fault: token expired"),
    (Fate::RowLocked, "fault: row locked"),
    (Fate::LimitReached, "fault: request limit"),
    (Fate::Raced, "fault: somebody acts between our read and our write"),
];

struct Call {
    method: String,
    uri: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Call {
    fn of(request: &reqwest::Request) -> Self {
        let url = request.url();
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let headers = request.headers().iter();
        Self {
            method: request.method().to_string(),
            uri: format!("{}{query}", url.path()),
            headers: headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect(),
            body: request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default().to_vec(),
        }
    }

    fn writes(&self) -> bool {
        self.uri.ends_with("/composite/sobjects") || self.uri.ends_with("/composite")
    }

    fn is_login(&self) -> bool {
        self.uri.contains("/oauth2/token")
    }

    /// The marks that its rows carry.
    fn marks(&self) -> Vec<String> {
        let mut marks = Vec::new();
        if self.writes()
            && let Ok(body) = serde_json::from_slice::<Value>(&self.body)
        {
            find_marks(&body, &mut marks);
        }
        marks
    }
}

fn find_marks(value: &Value, marks: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let mark = map.get("AI_Last_Promotion_ID__c").and_then(Value::as_str);
            marks.extend(mark.map(str::to_owned));
            map.values().for_each(|value| find_marks(value, marks));
        }
        Value::Array(list) => list.iter().for_each(|value| find_marks(value, marks)),
        _ => {}
    }
}

impl Scene {
    /// The same request goes out again at once: its reply proves that it did nothing.
    fn not_applied(&mut self, call: &Call) {
        for mark in call.marks() {
            let id = mark.strip_prefix("void:").unwrap_or(&mark);
            if let Some(sends) = self.sends.get_mut(id) {
                *sends = sends.saturating_sub(1);
            }
        }
    }

    fn fate_of(&mut self, call: &Call) -> Fate {
        let (rough, hot) = (self.plan.rough, self.plan.hot);
        if !self.faults {
            return Fate::Pass;
        }
        if !call.marks().is_empty() && !self.fates.is_empty() {
            let fate = self.fates.remove(0);
            self.say(format!("{fate:?} as the story wants it: {:?}", call.marks()));
            return fate;
        }
        if !call.marks().is_empty() && self.chance(hot) {
            let (fate, name) = self.one_of(&[FATES[1], FATES[2], FATES[3], FATES[5], FATES[7], FATES[9]]);
            self.reached(name);
            self.say(format!("{name}: {:?}", call.marks()));
            return fate;
        }
        if !self.chance(rough) {
            return Fate::Pass;
        }
        let (mut fate, mut name) = self.one_of(FATES);
        let only_writes = matches!(fate, Fate::Late | Fate::RowLocked);
        if call.is_login() && !matches!(fate, Fate::UnavailableBefore | Fate::Lost | Fate::ReplyLost)
            || only_writes && !call.writes()
        {
            (fate, name) = FATES[1];
        }
        self.reached(name);
        self.say(format!("{name}: {} {}", call.method, call.uri));
        fate
    }

    fn written_on(&self, call: &Call) -> Option<crate::scene::Subject> {
        let text = String::from_utf8_lossy(&call.body);
        self.subjects.iter().find(|subject| text.contains(&subject.id)).cloned()
    }

    /// A person changes a record of a write whose outcome nobody knows yet.
    fn edit_meanwhile(&mut self, call: &Call) {
        if let Some(subject) = self.written_on(call) {
            self.edit(&subject);
            self.reached("people: edited while an outcome was not known");
        }
    }

    /// Somebody acts just before a write reaches the org, most often on what it writes.
    fn race(&mut self, call: &Call) {
        let anybody = self.subject();
        let subject = self.written_on(call).unwrap_or(anybody);
        match self.rng.random_range(0..10) {
            0..3 => self.people_act(),
            3 => self.delete(&subject),
            4 => self.convert(&subject),
            _ => self.edit(&subject),
        }
    }
}

impl Net {
    async fn carry(&self, call: &Call) -> Response<Vec<u8>> {
        self.intents_first(call).await;
        let mut request = Request::builder().method(call.method.as_str()).uri(&call.uri);
        for (name, value) in &call.headers {
            request = request.header(name, value.as_slice());
        }
        let request = request.body(Body::from(call.body.clone())).expect("a request");
        let (parts, body) = self.inside.answer(request).await.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
        let mut scene = self.scene.lock();
        scene.say(format!("{} {} -> {}", call.method, call.uri, parts.status.as_u16()));
        scene.follow_org();
        let locked = String::from_utf8_lossy(&body).contains("UNABLE_TO_LOCK_ROW");
        if parts.status.as_u16() == 401 || locked {
            scene.not_applied(call);
        }
        Response::from_parts(parts, body)
    }

    /// An intent, and a counted attempt, stand in the ledger before the effect can happen.
    async fn intents_first(&self, call: &Call) {
        let Some(ledger) = self.seen.get() else { return };
        for mark in call.marks() {
            let id = PromotionId::new(mark.strip_prefix("void:").unwrap_or(&mark));
            let known = ledger.promotion(&id).await.expect("the ledger can be read");
            let attempts = known.map(|promotion| promotion.attempts);
            let mut scene = self.scene.lock();
            let sends = scene.sends.get(id.as_str()).copied().unwrap_or(0);
            if attempts.is_none_or(|attempts| attempts < sends) {
                scene.broken(format!("I8: {mark} was sent {sends} times with {attempts:?} attempts counted"));
            }
        }
    }

    fn count(&self, call: &Call) {
        let mut scene = self.scene.lock();
        for mark in call.marks() {
            let (id, void) = mark.strip_prefix("void:").map_or((mark.as_str(), false), |id| (id, true));
            *scene.sends.entry(id.to_owned()).or_insert(0) += 1;
            let times = {
                let times = scene.sends.entry(format!("{mark} as such")).or_insert(0);
                *times += 1;
                *times
            };
            let what = match (void, times) {
                (false, 1) => "sent: a promotion",
                (false, _) => "sent: a promotion again",
                (true, 1) => "sent: a void",
                (true, _) => "sent: a void again",
            };
            scene.reached(what);
        }
    }

    /// Calls that the network held back arrive now.
    pub async fn late_arrive(&self) {
        loop {
            let (late, token) = {
                let mut scene = self.scene.lock();
                if scene.late.is_empty() {
                    return;
                }
                let late = scene.late.remove(0);
                let user = scene.org.user("promoter").expect("a seeded user").user_id;
                scene.say(format!("a late copy arrives: {} {}", late.method, late.uri));
                scene.reached("late copies that arrived");
                let lifetime = std::time::Duration::from_secs(60);
                (late, scene.org.open_session(&user, lifetime))
            };
            // It was let in when it was sent.
            let headers = vec![
                ("authorization".to_owned(), format!("Bearer {token}").into_bytes()),
                ("content-type".to_owned(), b"application/json".to_vec()),
                ("sforce-call-options".to_owned(), b"client=countersign".to_vec()),
            ];
            let call = Call { method: late.method, uri: late.uri, headers, body: late.body };
            self.carry(&call).await;
        }
    }
}

fn unavailable() -> Response<Vec<u8>> {
    let body = br#"[{"errorCode":"SERVER_UNAVAILABLE","message":"try again later"}]"#.to_vec();
    let reply = Response::builder().status(503).header("content-type", "application/json");
    reply.body(body).expect("a response")
}

#[async_trait::async_trait]
impl Exchange for Net {
    async fn exchange(
        &self,
        request: reqwest::Request,
        host: &str,
    ) -> Result<reqwest::Response, SalesforceError> {
        let call = Call::of(&request);
        self.count(&call);
        let fate = self.scene.lock().fate_of(&call);
        if call.writes()
            && let Some(lot) = &self.lot
        {
            lot.stand().await;
        }
        let void = call.marks().iter().any(|mark| mark.starts_with("void:"));
        let overtaken = {
            let mut scene = self.scene.lock();
            void && scene.faults && scene.chance(400)
        };
        if overtaken {
            self.late_arrive().await;
        }
        let unclear = !call.marks().is_empty()
            && !matches!(fate, Fate::Pass | Fate::Raced | Fate::RowLocked | Fate::TokenExpired);
        let reply = self.meet(fate, &call, host).await;
        let mut scene = self.scene.lock();
        if unclear && scene.chance(700) {
            scene.edit_meanwhile(&call);
        }
        reply
    }
}

impl Net {
    async fn meet(&self, fate: Fate, call: &Call, host: &str) -> Result<reqwest::Response, SalesforceError> {
        let gone =
            |detail: &str| SalesforceError::NoReply { host: host.to_owned(), detail: detail.to_owned() };
        match fate {
            Fate::Pass => Ok(self.carry(call).await.into()),
            Fate::NotSent => {
                self.scene.lock().not_applied(call);
                Err(SalesforceError::NotSent { host: host.to_owned(), detail: "not connected".to_owned() })
            }
            Fate::Lost => Err(gone("lost on the way")),
            Fate::ReplyLost => {
                self.carry(call).await;
                Err(gone("the reply was lost"))
            }
            Fate::Late => {
                let (method, uri, body) = (call.method.clone(), call.uri.clone(), call.body.clone());
                let late = Late { method, uri, body };
                self.scene.lock().late.push(late);
                Err(gone("timed out"))
            }
            Fate::UnavailableBefore => Ok(unavailable().into()),
            Fate::UnavailableAfter => {
                self.carry(call).await;
                Ok(unavailable().into())
            }
            Fate::TokenExpired => {
                let org = self.scene.lock().org.clone();
                org.expire_sessions(&org.user("promoter").expect("a seeded user").user_id);
                Ok(self.carry(call).await.into())
            }
            Fate::RowLocked => {
                self.scene.lock().org.faults().arm(Fault::once(FaultPoint::Row, FaultAction::LockRow));
                let reply = self.carry(call).await;
                self.scene.lock().org.faults().clear();
                Ok(reply.into())
            }
            Fate::LimitReached => {
                self.scene.lock().org.faults().arm(Fault::once(FaultPoint::Request, FaultAction::DailyLimit));
                let reply = self.carry(call).await;
                self.scene.lock().org.faults().clear();
                Ok(reply.into())
            }
            Fate::Raced => {
                self.scene.lock().race(call);
                Ok(self.carry(call).await.into())
            }
        }
    }
}

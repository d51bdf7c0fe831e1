//! Flows that somebody starts: autolaunched ones run to their end, screen flows stop at
//! each screen and go on with the answers. Between two screens lies one transaction.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value as Json, json};

use super::{
    super::{org::Org, save::Context, users::UserContext, write::WriteOptions},
    def::{FlowDef, Kind, NodeKind, Screen},
    interview::{Interview, Value},
    run::{Failure, Machine, Rest},
    screen::{Navigation, ScreenError, scalar},
};

/// Interviews that wait at a screen; beyond that the oldest are forgotten.
const MAX_OPEN: usize = 200;

/// Interviews that wait at a screen. They do not outlive the process.
#[derive(Debug, Default)]
pub(in crate::simulator) struct Interviews(Mutex<Vec<Open>>);

#[derive(Debug, Clone)]
struct Open {
    user_id: String,
    interview: Interview,
    screen: String,
    /// Screens shown before, the last one last.
    before: Vec<String>,
}

/// What somebody answers on a screen.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The interview's id.
    pub interview: String,
    /// The button.
    pub navigation: Navigation,
    /// Answers by field name, in JSON.
    pub values: Map<String, Json>,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launched {
    /// The interview's id.
    pub interview: String,
    /// Values of the output variables; of a finished flow only.
    pub outputs: Map<String, Json>,
    /// The screen that waits for an answer; `None` when the flow has ended.
    pub screen: Option<Json>,
    /// Whether the answers were refused: the same screen is shown again with its errors.
    pub refused: bool,
}

/// Why a flow did not start, or how it ended badly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    /// No active flow of that name that can be started by a call.
    #[error("The requested resource does not exist")]
    Unknown,
    /// The user may not run it.
    #[error("insufficient access rights on cross-reference id")]
    NotAllowed,
    /// An input that the flow does not take.
    #[error("{name}: {message}")]
    Input {
        /// The input.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// No interview of this user waits under that id.
    #[error("no interview of yours waits under this id")]
    NoInterview,
    /// A fault that the flow did not catch.
    #[error("{0}")]
    Fault(String),
}

impl LaunchError {
    /// The status code of an action's error. Those of real orgs are not confirmed.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "NOT_FOUND",
            Self::NotAllowed => "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            Self::Input { .. } => "INVALID_API_INPUT",
            Self::NoInterview => "INVALID_INTERVIEW",
            Self::Fault(_) => "UNKNOWN_EXCEPTION",
        }
    }
}

impl Org {
    /// The flows that this user may start by a call, by name.
    pub fn flows_for(&self, user: &UserContext) -> Vec<Arc<FlowDef>> {
        let package = self.package();
        let flows = package.flows.values().filter(|flow| {
            self.flow_runs(flow) && flow.start.trigger.is_none() && self.offers(flow) && user.may_run(flow)
        });
        flows.cloned().collect()
    }

    /// Real REST knows no screen flows.
    fn offers(&self, flow: &FlowDef) -> bool {
        !flow.screen || self.settings().screen_flows_over_rest
    }

    /// Starts a flow as a user, with inputs by name.
    pub fn start_flow(
        &self,
        user: &UserContext,
        options: &WriteOptions,
        name: &str,
        inputs: &Map<String, Json>,
    ) -> Result<Launched, LaunchError> {
        let flow = self.package().flows.get(name).cloned().ok_or(LaunchError::Unknown)?;
        if flow.start.trigger.is_some() || !self.flow_runs(&flow) || !self.offers(&flow) {
            return Err(LaunchError::Unknown);
        }
        if !user.may_run(&flow) {
            return Err(LaunchError::NotAllowed);
        }
        let given =
            inputs.iter().map(|(name, json)| input(&flow, name, json)).collect::<Result<Vec<_>, _>>()?;
        let open = Open {
            user_id: user.user_id.clone(),
            interview: Interview::new(flow, self.now_seconds()),
            screen: String::new(),
            before: Vec::new(),
        };
        self.drive(user, options, open, |machine, _| machine.begin(given).map(Ok))
    }

    /// Answers a screen. Only the user who started the interview may.
    pub fn continue_flow(
        &self,
        user: &UserContext,
        options: &WriteOptions,
        answer: &Answer,
    ) -> Result<Launched, LaunchError> {
        let open =
            self.0.interviews.take(&answer.interview, &user.user_id).ok_or(LaunchError::NoInterview)?;
        self.drive(user, options, open, |machine, open| {
            let flow = Arc::clone(&machine.interview.flow);
            let Some((screen, next)) = screen_of(&flow, &open.screen) else { return Ok(Ok(Rest::Finished)) };
            if answer.navigation == Navigation::Back {
                return Ok(match open.before.pop().filter(|_| screen.allow_back) {
                    Some(earlier) => Ok(Rest::Screen(earlier)),
                    None => Err(vec![(String::new(), "There is no way back from this screen.".to_owned())]),
                });
            }
            if let Err(errors) = machine.answer(screen, &answer.values) {
                return Ok(Err(errors));
            }
            open.before.push(open.screen.clone());
            machine.run(next.clone()).map(Ok)
        })
    }

    /// Runs a stretch of an interview in a transaction of its own.
    fn drive(
        &self,
        user: &UserContext,
        options: &WriteOptions,
        mut open: Open,
        stretch: impl FnOnce(&mut Machine<'_>, &mut Open) -> Result<Result<Rest, Vec<ScreenError>>, Failure>,
    ) -> Result<Launched, LaunchError> {
        let system = open.interview.flow.system;
        let context = Context { org: self, user, options, now: self.now_seconds(), system, depth: 0 };
        let mut interview = open.interview.clone();
        let mut transaction = self.begin();
        let ended = transaction.with_state(&context, |state, journal| {
            let mut machine =
                Machine { context: &context, state, journal, interview: &mut interview, nested: 0 };
            let rest = stretch(&mut machine, &mut open)?;
            Ok(came_to(&mut machine, rest, &mut open))
        });
        match ended {
            Ok(launched) => {
                transaction.commit();
                if launched.screen.is_some() {
                    self.0.interviews.keep(Open { interview, ..open });
                }
                Ok(launched)
            }
            Err(Failure::Fault(message)) => Err(LaunchError::Fault(message)),
            Err(Failure::Refused(errors)) => {
                let words: Vec<String> = errors.into_iter().map(|error| error.message).collect();
                Err(LaunchError::Fault(words.join("; ")))
            }
        }
    }
}

/// What the caller sees where the interview came to rest.
fn came_to(machine: &mut Machine<'_>, rest: Result<Rest, Vec<ScreenError>>, open: &mut Open) -> Launched {
    let flow = Arc::clone(&machine.interview.flow);
    let guid = machine.interview.guid.clone();
    let (name, errors) = match rest {
        Ok(Rest::Finished) => {
            let outputs = machine.outputs().into_iter().map(|(name, value)| (name, to_json(&value)));
            return Launched { interview: guid, outputs: outputs.collect(), screen: None, refused: false };
        }
        Ok(Rest::Screen(name)) => {
            if let Some((screen, _)) = screen_of(&flow, &name) {
                machine.enter(screen);
            }
            (name, Vec::new())
        }
        Err(errors) => (open.screen.clone(), errors),
    };
    open.screen.clone_from(&name);
    let screen =
        screen_of(&flow, &name).map(|(screen, _)| machine.view().screen_json(&name, screen, &errors));
    Launched { interview: guid, outputs: Map::new(), screen, refused: !errors.is_empty() }
}

/// A screen and what comes after it.
fn screen_of<'a>(flow: &'a FlowDef, name: &str) -> Option<(&'a Screen, &'a Option<String>)> {
    let node = flow.nodes.get(name)?;
    match &node.kind {
        NodeKind::Screen(screen) => Some((screen, &node.next)),
        _ => None,
    }
}

/// An input in its variable's type.
fn input(flow: &FlowDef, name: &str, json: &Json) -> Result<(String, Value), LaunchError> {
    let wrong = |message: String| LaunchError::Input { name: name.to_owned(), message };
    let variable = flow.variables.get(name).filter(|variable| variable.input);
    let variable = variable.ok_or_else(|| wrong("the flow has no such input".to_owned()))?;
    let value = match (&variable.kind, json) {
        (Kind::Scalar(kind), json) => Value::One(scalar(kind, json).map_err(wrong)?),
        (Kind::List(one), Json::Array(list)) => {
            let Kind::Scalar(kind) = &**one else {
                return Err(wrong("records cannot be given in the simulated org".to_owned()));
            };
            let members = list.iter().map(|json| scalar(kind, json).map(Value::One));
            Value::List(members.collect::<Result<_, _>>().map_err(wrong)?)
        }
        (Kind::List(_), Json::Null) => Value::List(Vec::new()),
        (Kind::List(_), _) => return Err(wrong("expected a list".to_owned())),
        (Kind::Record(_), _) => return Err(wrong("records cannot be given in the simulated org".to_owned())),
    };
    Ok((name.to_owned(), value))
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::One(value) => value.to_json(),
        Value::List(list) => list.iter().map(to_json).collect(),
        Value::Record(record) => {
            let mut map = Map::from_iter([("attributes".to_owned(), json!({ "type": record.object }))]);
            map.extend(record.row.iter().map(|(name, value)| (name.clone(), value.to_json())));
            Json::Object(map)
        }
    }
}

impl Interviews {
    fn take(&self, guid: &str, user_id: &str) -> Option<Open> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = open.iter().position(|open| open.interview.guid == guid && open.user_id == user_id)?;
        Some(open.remove(index))
    }

    fn keep(&self, interview: Open) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MAX_OPEN {
            open.remove(0);
        }
        open.push(interview);
    }
}

//! Who appears in the story: reps, reviewers, foreign writers, and the two agents.

/// A person, or an integration with a user of its own, and the client that they use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writer {
    /// Role of the seeded user.
    pub role: &'static str,
    /// The API of their writes.
    pub api: &'static str,
    /// What their client calls itself.
    pub client: &'static str,
    /// How the map of writers must name the client.
    pub heard_as: &'static str,
}

const fn in_lightning(role: &'static str) -> Writer {
    Writer { role, api: "rest", client: "SfdcInternalAPI/", heard_as: "Lightning" }
}

/// Rep.
pub const OTTO: Writer = in_lightning("outsider");
/// Rep, and reviewer.
pub const ROSA: Writer = in_lightning("reviewer2");
/// Reviewer.
pub const RITA: Writer = in_lightning("reviewer");
/// An integration that sets states in bulk at night.
pub const SYNC: Writer =
    Writer { role: "admin", api: "bulkapi", client: "night-sync", heard_as: "bulkapi night-sync" };
/// Something that answers a change, as a flow would.
pub const REPLY: Writer =
    Writer { role: "admin", api: "rest", client: "auto-reply", heard_as: "rest auto-reply" };
/// A writer that appears on day 40.
pub const IMPORTER: Writer =
    Writer { role: "breaker", api: "rest", client: "importer", heard_as: "rest importer" };
/// Everybody of the story who may set a governed field by hand.
pub const WRITERS: [Writer; 6] = [OTTO, ROSA, RITA, SYNC, REPLY, IMPORTER];

/// Those of them who are programs.
pub const FOREIGN: [Writer; 3] = [SYNC, REPLY, IMPORTER];

/// From this day on the new writer writes.
pub const IMPORT_FROM: i64 = 40;
/// On this day it begins to set a lead against another writer.
pub const FLAP_FROM: i64 = 60;

/// An agent and how often it is right, in a thousand.
#[derive(Debug, Clone, Copy)]
pub struct Agent {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// With leads in general, and with named accounts.
    pub leads: (u32, u32),
    /// With deals in general, and with key accounts.
    pub deals: (u32, u32),
    /// Its confidences, as it tells them.
    pub confidences: [&'static str; 2],
}

/// Two agents; the second is careless with leads, and with key accounts it is the better one.
pub const AGENTS: [Agent; 2] = [
    Agent {
        name: "scout",
        version: "3",
        leads: (950, 850),
        deals: (930, 550),
        confidences: ["0.95", "0.85"],
    },
    Agent { name: "dart", version: "1", leads: (450, 550), deals: (400, 850), confidences: ["0.75", "0.6"] },
];

/// Leads and deals of the story.
pub const LEADS: u8 = 36;
/// Deals.
pub const DEALS: u8 = 14;
/// The first leads are named accounts, and the first deals key accounts.
pub const NAMED: usize = 6;
/// Key accounts among the deals.
pub const KEY: usize = 4;

pub const OPEN: &str = "Open - Not Contacted";
pub const WORKING: &str = "Working - Contacted";
pub const CLOSED: &str = "Closed - Not Converted";
/// Next steps of deals.
pub const STEPS: [&str; 5] =
    ["Call the buyer", "Send the data sheet", "Site visit", "Wait for legal", "Meet the sponsor"];
/// Stages that reps move deals to; the story measures no lane there.
pub const STAGES: [&str; 3] = ["Prospecting", "Qualification", "Needs Analysis"];

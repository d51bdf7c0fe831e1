//! Settings for a daemon beside a simulated org in the same process.

use std::{net::SocketAddr, path::PathBuf};

use crate::{
    config::{
        AgentSettings, ApiSettings, Credentials, DecaySettings, DoctorSettings, HeartbeatSettings,
        HttpSettings, InboxSettings, JobSettings, LedgerSettings, LogFormat, LogSettings, OrgSettings,
        PolicySettings, PromotionSettings, ReconcileSettings, Settings, ShadowSettings, StreamSettings,
        SweepSettings, WatchSettings,
    },
    simulator::server::RunningOrg,
};

/// Both identities by JWT, the built-in policies, and everything else as shipped.
pub fn for_org(org: &RunningOrg, ledger: PathBuf, http: SocketAddr) -> anyhow::Result<Settings> {
    let jwt = |username: &str| Credentials::Jwt {
        client_id: org.org.oauth_app().client_id,
        username: username.to_owned(),
        private_key_path: org.jwt_key_path.clone(),
        audience: None,
    };
    let username = |role: &str| {
        org.org.user(role).map(|user| user.username).ok_or_else(|| anyhow::anyhow!("the org has no `{role}`"))
    };
    Ok(Settings {
        org: OrgSettings {
            login_url: org.instance_url.clone(),
            instance_url: Some(org.instance_url.clone()),
            pubsub_endpoint: format!("http://{}", org.pubsub_endpoint),
            api_version: "67.0".to_owned(),
            ca_pem_path: None,
            org_id: Some(org.org.org_id()),
            production: false,
        },
        promoter: jwt(&username("promoter")?),
        proposer: Some(jwt(&username("proposer")?)),
        ledger: LedgerSettings { path: ledger.display().to_string(), password: None, lease_seconds: 15 },
        inbox: InboxSettings::default(),
        policy: PolicySettings { directory: None, contracts: None, ownership: None },
        checkpoint: None,
        http: HttpSettings { listen: Some(http), console_password: None },
        promotion: PromotionSettings {
            batch_rows: 200,
            batches_per_call: 5,
            linger_ms: 0,
            timeout_ms: 30_000,
        },
        sweep: SweepSettings { every_seconds: 300 },
        stream: StreamSettings { late_after_seconds: 300 },
        api: ApiSettings { keep_free_percent: 0, look_again_seconds: 300 },
        decay: DecaySettings { objection_hours: 24, most_records: 2000 },
        reconcile: ReconcileSettings {
            bulk_above: 50_000,
            grace_seconds: 120,
            proof_minutes: 15,
            stuck_after_hours: 72,
            rates_days: 90,
        },
        jobs: JobSettings {
            decay: None,
            reconcile: None,
            drift: None,
            shadow: None,
            approvers: None,
            inbox_retention: None,
        },
        shadow: ShadowSettings::default(),
        heartbeat: HeartbeatSettings::default(),
        watch: WatchSettings {
            every_seconds: 60,
            job_late_minutes: 120,
            growth_times: 10,
            entries_per_day: 1_000_000,
            silent_hours: 24,
            disk_free_mb: 0,
        },
        agents: AgentSettings { allow_unguarded: false },
        doctor: DoctorSettings::default(),
        log: LogSettings { format: LogFormat::Text, level: "warn".to_owned() },
    })
}

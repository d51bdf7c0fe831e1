//! What goes wrong with event streams, each kind with its own count.

/// Times that each kind of trouble was met, by `mode`.
pub const STREAM_TROUBLES: &str = "countersign_stream_troubles_total";
/// 1 while the stream is late, else 0.
pub const STREAM_LATE: &str = "countersign_stream_late";
/// Seconds since the stream was last heard of.
pub const STREAM_SILENT_SECONDS: &str = "countersign_stream_silent_seconds";

/// One kind of trouble with an event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StreamMode {
    /// The token was refused: expired, revoked, or the session is not a good one.
    TokenRefused,
    /// No token could be had.
    LoginFailed,
    /// A connection was lost, left pings unanswered, or could not be had.
    ConnectionLost,
    /// The server ended the stream without an error.
    Ended,
    /// The service says that it is not available.
    Unavailable,
    /// Nothing at all was received for longer than the service promises.
    Silent,
    /// Nothing was asked for in time.
    CreditLapsed,
    /// A limit of the org is reached.
    LimitReached,
    /// The stored place is not valid (any more).
    PlaceRefused,
    /// Events came without a place.
    PlaceMissing,
    /// Commit times went back: the stream is another one.
    WentBack,
    /// Topic, permission or setting.
    Config,
    /// What was received could not be stored.
    StoreFailed,
    /// Storing takes long.
    StoreSlow,
    /// An event was delivered again.
    Redelivered,
    /// An event names a schema that cannot be had.
    SchemaUnknown,
    /// A field that is read from events has another type.
    FieldRetyped,
    /// An event cannot be read.
    Unreadable,
    /// An event says that something happened, but not what.
    Gap,
    /// More happened than events were made for.
    Overflow,
    /// An event names records by a pattern.
    Wildcard,
    /// One event speaks of several records.
    Merged,
    /// The stream was late.
    Late,
}

impl StreamMode {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::TokenRefused,
        Self::LoginFailed,
        Self::ConnectionLost,
        Self::Ended,
        Self::Unavailable,
        Self::Silent,
        Self::CreditLapsed,
        Self::LimitReached,
        Self::PlaceRefused,
        Self::PlaceMissing,
        Self::WentBack,
        Self::Config,
        Self::StoreFailed,
        Self::StoreSlow,
        Self::Redelivered,
        Self::SchemaUnknown,
        Self::FieldRetyped,
        Self::Unreadable,
        Self::Gap,
        Self::Overflow,
        Self::Wildcard,
        Self::Merged,
        Self::Late,
    ];

    /// As the metric names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TokenRefused => "token-refused",
            Self::LoginFailed => "login-failed",
            Self::ConnectionLost => "connection-lost",
            Self::Ended => "ended",
            Self::Unavailable => "unavailable",
            Self::Silent => "silent",
            Self::CreditLapsed => "credit-lapsed",
            Self::LimitReached => "limit-reached",
            Self::PlaceRefused => "place-refused",
            Self::PlaceMissing => "place-missing",
            Self::WentBack => "went-back",
            Self::Config => "config",
            Self::StoreFailed => "store-failed",
            Self::StoreSlow => "store-slow",
            Self::Redelivered => "redelivered",
            Self::SchemaUnknown => "schema-unknown",
            Self::FieldRetyped => "field-retyped",
            Self::Unreadable => "unreadable",
            Self::Gap => "gap",
            Self::Overflow => "overflow",
            Self::Wildcard => "wildcard",
            Self::Merged => "merged",
            Self::Late => "late",
        }
    }

    /// Counts it.
    pub fn count(self, times: u64) {
        metrics::counter!(STREAM_TROUBLES, "mode" => self.name()).increment(times);
    }
}

/// Names the metrics, and shows every kind from the start.
pub(super) fn describe() {
    metrics::describe_counter!(STREAM_TROUBLES, "Trouble with the event stream, by kind");
    metrics::describe_gauge!(STREAM_LATE, "1 while the event stream is late");
    metrics::describe_gauge!(STREAM_SILENT_SECONDS, "Seconds since the event stream was last heard of");
    for mode in StreamMode::ALL {
        mode.count(0);
    }
}

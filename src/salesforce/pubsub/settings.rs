//! How to reach the Pub/Sub endpoint and how hard to pull.

use std::{net::IpAddr, time::Duration};

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use url::{Host, Url};

use super::error::StreamError;

/// Connection settings. The defaults suit the real service.
#[derive(Debug, Clone)]
pub struct PubSubSettings {
    /// `host:port` (TLS), or a URL. `http://` means cleartext HTTP/2 and is taken on loopback only.
    pub endpoint: String,
    /// Extra trusted certificates (PEM), beside the usual roots.
    pub ca_pem: Option<Vec<u8>>,
    /// Events that may be outstanding at the server. It cuts more than 100 down to 100.
    pub credit: u32,
    /// Events that may wait between the stream and the store.
    pub queue_events: u32,
    /// Period of the HTTP/2 pings that find a half-open connection.
    pub ping_every: Duration,
    /// How long a ping may stay unanswered.
    pub ping_timeout: Duration,
    /// Silence after which the stream is given up. The service promises a sign of life
    /// every 270 s, so this must be longer.
    pub silence_limit: Duration,
    /// For connecting.
    pub connect_timeout: Duration,
    /// For GetTopic and GetSchema.
    pub call_timeout: Duration,
}

impl PubSubSettings {
    /// Settings for an endpoint, everything else at its default.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            ca_pem: None,
            credit: 100,
            queue_events: 5_000,
            ping_every: Duration::from_secs(30),
            ping_timeout: Duration::from_secs(15),
            silence_limit: Duration::from_secs(285),
            connect_timeout: Duration::from_secs(20),
            call_timeout: Duration::from_secs(30),
        }
    }

    /// The transport, not yet connected.
    pub(super) fn transport(&self) -> Result<Endpoint, StreamError> {
        let url = self.url()?;
        let endpoint = Endpoint::from_shared(url.to_string())
            .map_err(|error| self.bad_endpoint(&error.to_string()))?
            .connect_timeout(self.connect_timeout)
            .tcp_nodelay(true)
            .tcp_keepalive(Some(Duration::from_secs(60)))
            .http2_keep_alive_interval(self.ping_every)
            .keep_alive_timeout(self.ping_timeout)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(4 * 1024 * 1024)
            .initial_connection_window_size(8 * 1024 * 1024);
        if url.scheme() == "http" {
            return Ok(endpoint);
        }
        let mut tls = ClientTlsConfig::new().with_enabled_roots();
        if let Some(pem) = &self.ca_pem {
            tls = tls.ca_certificate(Certificate::from_pem(pem));
        }
        endpoint.tls_config(tls).map_err(|error| self.bad_endpoint(&error.to_string()))
    }

    fn url(&self) -> Result<Url, StreamError> {
        let text = match self.endpoint.contains("://") {
            true => self.endpoint.clone(),
            false => format!("https://{}", self.endpoint),
        };
        let url = Url::parse(&text).map_err(|error| self.bad_endpoint(&error.to_string()))?;
        match url.scheme() {
            "https" => Ok(url),
            "http" if is_loopback(&url) => Ok(url),
            "http" => Err(self.bad_endpoint("http:// is taken on loopback only; use https://")),
            _ => Err(self.bad_endpoint("the scheme must be https")),
        }
    }

    fn bad_endpoint(&self, why: &str) -> StreamError {
        StreamError::config(
            "pubsub-endpoint-invalid",
            format!("the Pub/Sub endpoint {:?} cannot be used: {why}", self.endpoint),
        )
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleartext_is_for_loopback_only() {
        assert!(PubSubSettings::new("http://127.0.0.1:7443").transport().is_ok());
        assert!(PubSubSettings::new("http://localhost:7443").transport().is_ok());
        let refused = PubSubSettings::new("http://pubsub.example:7443").transport().unwrap_err();
        assert_eq!(refused.code(), "pubsub-endpoint-invalid");
    }

    #[test]
    fn a_bare_host_means_tls() {
        assert_eq!(PubSubSettings::new("pubsub.example:7443").url().unwrap().scheme(), "https");
    }
}

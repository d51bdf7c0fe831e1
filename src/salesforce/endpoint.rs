//! Which hosts may be sent a token.

use url::{Host, Url};

use super::SalesforceError;

/// The origin of a URL that may be talked to: https, or http on loopback.
pub(super) fn origin(text: &str) -> Result<String, SalesforceError> {
    let refuse = |what: &str| SalesforceError::Setup {
        what: format!("`{}` {what}", super::errors::shorten(text).escape_debug()),
        fix: "use an https URL such as https://example.my.salesforce.com",
    };
    let url = Url::parse(text).map_err(|_| refuse("is not a URL"))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => return Err(refuse("is neither https nor on loopback")),
    }
    if url.host().is_none() || !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("has no host or carries a login"));
    }
    Ok(url.origin().ascii_serialization())
}

/// Checks where a token reply says that the org is. An attacker who can change that reply must
/// not be able to send the token elsewhere.
pub(super) fn instance(
    found: &str,
    expected: Option<&str>,
    login_url: &str,
) -> Result<String, SalesforceError> {
    let wrong = |expected: &str| SalesforceError::WrongInstance {
        found: super::errors::shorten(found),
        expected: expected.to_owned(),
    };
    let found_origin = origin(found).map_err(|_| wrong("an https URL"))?;
    if let Some(expected) = expected {
        return if found_origin == expected { Ok(found_origin) } else { Err(wrong(expected)) };
    }
    let url = Url::parse(&found_origin).map_err(|_| wrong("an https URL"))?;
    let login = Url::parse(login_url).map_err(|_| wrong("an https URL"))?;
    if found_origin == login_url {
        return Ok(found_origin);
    }
    let allowed = if is_loopback(&login) { is_loopback(&url) } else { is_salesforce(&url) };
    if allowed { Ok(found_origin) } else { Err(wrong("a host of salesforce.com (or set org.instance_url)")) }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_salesforce(url: &Url) -> bool {
    let named = |name: &str| name.ends_with(".salesforce.com") || name.ends_with(".salesforce.mil");
    url.scheme() == "https"
        && url.port().is_none()
        && matches!(url.host(), Some(Host::Domain(name)) if named(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str = "https://login.salesforce.com";

    #[test]
    fn a_token_goes_to_salesforce_only() {
        let good = "https://example.my.salesforce.com";
        assert_eq!(instance(good, None, LOGIN).unwrap(), good);
        for bad in [
            "http://example.my.salesforce.com",
            "https://169.254.169.254",
            "https://127.0.0.1",
            "https://salesforce.com.example.net",
            "https://notsalesforce.com",
            "https://example.my.salesforce.com:8443",
            "https://user@example.my.salesforce.com",
            "file:///etc/passwd",
            "nonsense",
        ] {
            let error = instance(bad, None, LOGIN).unwrap_err();
            assert_eq!(error.code(), "salesforce-wrong-instance", "{bad} must be refused");
        }
    }

    #[test]
    fn a_named_instance_is_the_only_one() {
        let named = Some("https://example.my.salesforce.com");
        assert!(instance("https://other.my.salesforce.com", named, LOGIN).is_err());
        assert!(instance("https://example.my.salesforce.com/", named, LOGIN).is_ok());
    }

    #[test]
    fn loopback_stays_on_loopback() {
        let login = "http://127.0.0.1:4711";
        assert!(instance("http://127.0.0.1:4711", None, login).is_ok());
        assert!(instance("http://127.0.0.1:4712", None, login).is_ok());
        assert!(instance("https://example.my.salesforce.com", None, login).is_err());
    }
}

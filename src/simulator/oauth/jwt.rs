//! The JWT bearer assertion: signature, claims, and the texts with which it is refused.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use super::OAuthError;

#[derive(Debug, Deserialize)]
struct Claims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    #[serde(default)]
    prn: String,
    #[serde(default)]
    aud: Value,
    #[serde(default)]
    exp: Value,
}

/// What an assertion is checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    /// Consumer key.
    pub(super) client_id: &'a str,
    /// Public key of the registered certificate, PEM.
    pub(super) public_key_pem: &'a str,
    /// Accepted audiences without a trailing slash.
    pub(super) audiences: &'a BTreeSet<String>,
    /// Now.
    pub(super) now: Timestamp,
}

/// The username that a valid assertion speaks for. The order of the checks decides
/// which text a client with several faults sees.
pub(super) fn subject(assertion: &str, expected: &Expected<'_>) -> Result<String, OAuthError> {
    let invalid = || OAuthError::grant("invalid assertion");
    let key = DecodingKey::from_rsa_pem(expected.public_key_pem.as_bytes()).map_err(|_| invalid())?;
    let mut rules = Validation::new(Algorithm::RS256);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_aud = false;
    let claims = jsonwebtoken::decode::<Claims>(assertion, &key, &rules).map_err(|_| invalid())?.claims;
    if claims.iss != expected.client_id {
        return Err(OAuthError::client_id());
    }
    if !audience_fits(&claims.aud, expected.audiences) {
        return Err(OAuthError::grant("audience is invalid"));
    }
    let expires = expiry_ms(&claims.exp).ok_or_else(invalid)?;
    if expires < i128::from(expected.now.as_millisecond()) {
        return Err(OAuthError::grant("expired authorization code"));
    }
    Ok(if claims.sub.is_empty() { claims.prn } else { claims.sub })
}

fn audience_fits(claim: &Value, audiences: &BTreeSet<String>) -> bool {
    let fits =
        |value: &Value| value.as_str().is_some_and(|text| audiences.contains(text.trim_end_matches('/')));
    match claim {
        Value::Array(items) => items.iter().any(fits),
        one => fits(one),
    }
}

/// Clients in wide use send seconds, seconds as a text, and milliseconds. No upper bound.
fn expiry_ms(claim: &Value) -> Option<i128> {
    let text = match claim {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let whole: i128 = text.split('.').next()?.parse().ok()?;
    // 10^11 seconds lie in the year 5138; anything above is milliseconds.
    Some(if whole > 100_000_000_000 { whole } else { whole * 1_000 })
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};
    use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_763_600_000;

    fn audiences() -> BTreeSet<String> {
        BTreeSet::from(["https://login.salesforce.com".to_owned()])
    }

    fn signed(key: &KeyPair, claims: &Value) -> String {
        let key = EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).unwrap();
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
    }

    #[test]
    fn accepts_what_clients_send_and_refuses_the_rest() {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let other = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let (pem, audiences) = (key.public_key_pem(), audiences());
        let expected = Expected {
            client_id: "app",
            public_key_pem: &pem,
            audiences: &audiences,
            now: Timestamp::from_second(NOW).unwrap(),
        };
        let claims = |aud: &str, exp: Value| json!({ "iss": "app", "sub": "u@x", "aud": aud, "exp": exp });
        let login = "https://login.salesforce.com";
        for exp in [json!(NOW + 60), json!((NOW + 60).to_string()), json!(NOW * 1_000 + 300), json!(NOW * 9)]
        {
            let token = signed(&key, &claims(&format!("{login}/"), exp.clone()));
            assert_eq!(subject(&token, &expected), Ok("u@x".to_owned()), "exp {exp}");
        }
        let refused = |token: String| subject(&token, &expected).unwrap_err().description;
        assert_eq!(refused(signed(&key, &claims(login, json!(NOW - 1)))), "expired authorization code");
        assert_eq!(refused(signed(&key, &claims("https://x", json!(NOW + 1)))), "audience is invalid");
        assert_eq!(refused(signed(&other, &claims(login, json!(NOW + 1)))), "invalid assertion");
        assert_eq!(refused("no.jwt".to_owned()), "invalid assertion");
        let stranger = json!({ "iss": "x", "sub": "u@x", "aud": login, "exp": NOW + 1 });
        assert_eq!(refused(signed(&key, &stranger)), "client identifier invalid");
    }
}

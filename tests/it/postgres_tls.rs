//! TLS between a replica and PostgreSQL: the server has to prove who it is.

use std::{path::Path, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use crate::{
    databases,
    postgres::{PostgresServer, name_of},
    processes::{OrgProcess, ServeProcess, countersign, eventually},
};

/// A certificate authority of our own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Certificate and key of a server with this name.
    fn certificate_for(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn write_to(&self, path: &Path) -> String {
        std::fs::write(path, &self.pem).unwrap();
        path.to_str().expect("a plain path").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_server_that_proves_its_name_is_given_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let (own, foreign) = (Authority::new(), Authority::new());
    let known = own.write_to(&folder.path().join("own.pem"));
    let unknown = foreign.write_to(&folder.path().join("foreign.pem"));
    let server = PostgresServer::start();
    let socket = server.database();
    let (certificate, key) = own.certificate_for("localhost");
    let port = server.listen_with_tls(&certificate, &key);
    let url =
        |host: &str, how: &str| format!("postgres://countersign@{host}:{port}/{}?{how}", name_of(&socket));
    let checked = |ca: &str| format!("sslmode=verify-full&sslrootcert={ca}");
    let right = url("localhost", &checked(&known));

    databases::use_postgres();
    databases::set_ledger(folder.path(), &right);
    let org = OrgProcess::start(&["--seed", "demo"]);
    let config = org.write_config(folder.path());
    let serve = ServeProcess::start_with(&config, &["--http", "127.0.0.1:0"]);
    let health = serve.http().await;
    eventually("it serves over TLS", Duration::from_secs(60), || async {
        reqwest::get(format!("{health}/readyz")).await.is_ok_and(|reply| reply.status().is_success())
    })
    .await;

    let status = |url: &str| countersign(&["status", "--ledger", url], None);
    let (code, out, err) = status(&right);
    assert_eq!(code, 0, "{out}{err}");
    // The server takes nobody without TLS, so what was accepted was encrypted.
    let (code, _, err) = status(&url("localhost", "sslmode=disable"));
    assert!(code != 0 && err.contains("no encryption"), "{err}");
    for (what, refused) in [
        ("another name", url("127.0.0.1", &checked(&known))),
        ("an unknown authority", url("localhost", &checked(&unknown))),
        ("a public authority only", url("localhost", "sslmode=verify-full")),
    ] {
        let (code, out, err) = status(&refused);
        assert_ne!(code, 0, "{what}: {out}");
        assert!(err.contains("ledger-unreachable") && err.contains("certificate"), "{what}: {err}");
    }
    // The name is what verify-full adds: with the authority alone the other name passes.
    let (code, out, err) = status(&url("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={known}")));
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(serve.terminate(), 0);
}

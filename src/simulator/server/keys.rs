//! The client's JWT key and the certificates of the listeners, as private files.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};

use super::{
    ServerError,
    tls::{self, TlsFiles},
};
use crate::clock;

const JWT_KEY: &str = "jwt-key.pem";
const CA: &str = "ca.pem";

/// Keys in memory, and their folder.
#[derive(Debug)]
pub(super) struct Keys {
    folder: PathBuf,
    /// Whether the folder goes when the org goes.
    temporary: bool,
    pub(super) jwt_private_pem: String,
    pub(super) jwt_public_pem: String,
    pub(super) tls: Option<TlsFiles>,
}

impl Keys {
    /// Reads the JWT key from the folder or makes one; certificates are made anew each time.
    pub(super) fn open(folder: Option<PathBuf>, with_tls: bool) -> Result<Self, ServerError> {
        let temporary = folder.is_none();
        let folder = folder
            .unwrap_or_else(|| std::env::temp_dir().join(format!("countersign-org-{}", clock::random_id())));
        let failed = |reason: String| ServerError::Keys { folder: folder.display().to_string(), reason };
        let io = |error: std::io::Error| failed(error.to_string());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(io)?;
        // Clients get these paths and may run elsewhere.
        let folder = fs::canonicalize(&folder).map_err(io)?;
        let key = jwt_key(&folder.join(JWT_KEY)).map_err(failed)?;
        let tls = if with_tls { Some(tls::make().map_err(|error| failed(error.to_string()))?) } else { None };
        if let Some(tls) = &tls {
            write_private(&folder.join(CA), &tls.ca_pem).map_err(io)?;
        }
        Ok(Self {
            temporary,
            jwt_private_pem: key.serialize_pem(),
            jwt_public_pem: key.public_key_pem(),
            tls,
            folder,
        })
    }

    pub(super) fn jwt_key_path(&self) -> PathBuf {
        self.folder.join(JWT_KEY)
    }

    pub(super) fn ca_path(&self) -> PathBuf {
        self.folder.join(CA)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if self.temporary {
            // What is left behind is a private folder under the system's temporary one.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn jwt_key(path: &Path) -> Result<KeyPair, String> {
    match fs::read_to_string(path) {
        Ok(pem) => {
            KeyPair::from_pem(&pem).map_err(|error| format!("{JWT_KEY}: {error}; remove it to get a new one"))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
                .map_err(|error| error.to_string())?;
            write_private(path, &key.serialize_pem()).map_err(|error| error.to_string())?;
            Ok(key)
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Only the owner may read the file.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

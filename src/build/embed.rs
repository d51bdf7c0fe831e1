//! Lists the files of `salesforce-metadata/` as Rust source, so that the binary carries them.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

const PACKAGE: &str = "salesforce-metadata";

/// Writes `package_files.rs`: a slice of path inside the package and text, in path order.
pub fn package_files() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PACKAGE}");
    println!("cargo:rerun-if-changed=src/build/embed.rs");
    #[expect(clippy::disallowed_methods, reason = "cargo tells build scripts their folders by environment")]
    let (source, target) = (env::var("CARGO_MANIFEST_DIR")?, env::var("OUT_DIR")?);
    let root = Path::new(&source).join(PACKAGE);
    let mut files = vec![root.join("sfdx-project.json")];
    collect(&root.join("force-app"), &mut files)?;
    files.sort();
    let mut text = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&root)?.to_string_lossy().replace('\\', "/");
        writeln!(text, "    ({name:?}, include_str!({:?})),", file.display().to_string())?;
    }
    text.push_str("]\n");
    fs::write(PathBuf::from(target).join("package_files.rs"), text)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

//! The zip file of a deploy: its manifests, and its files as text.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _},
};

use super::super::metadata::Element;

/// A real org takes about 39 MB as a zip and 400 MB unpacked; less will do here.
const MAX_UNPACKED: u64 = 100 * 1024 * 1024;
/// Files of one deploy, as in a real org.
const MAX_FILES: usize = 10_000;

/// Kind and full name; the name may be `*` in a manifest.
pub(super) type Member = (String, String);

/// What was sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Archive {
    /// Files by path from the folder of package.xml, manifests left out.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// What package.xml lists.
    pub(super) members: Vec<Member>,
    /// What the destructive manifests list, with the file that lists it.
    pub(super) removed: Vec<(Member, String)>,
}

/// Opens a zip file; an error in words.
pub(super) fn open(bytes: &[u8]) -> Result<Archive, String> {
    let unreadable = |error: zip::result::ZipError| format!("The zip file cannot be read: {error}");
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    if zip.len() > MAX_FILES {
        return Err(format!("The zip file has more than {MAX_FILES} files"));
    }
    let mut files = BTreeMap::new();
    let mut left = MAX_UNPACKED;
    for index in 0..zip.len() {
        let file = zip.by_index(index).map_err(unreadable)?;
        if file.is_dir() {
            continue;
        }
        let name = file.name().map_err(unreadable)?.replace('\\', "/");
        let mut content = Vec::new();
        let read = file.take(left + 1).read_to_end(&mut content);
        let read = read.map_err(|error| format!("{name} in the zip file cannot be read: {error}"))?;
        left = left
            .checked_sub(u64::try_from(read).unwrap_or(u64::MAX))
            .ok_or_else(|| format!("The zip file is larger than {MAX_UNPACKED} bytes when unpacked"))?;
        files.insert(name, content);
    }
    sort(files)
}

/// Finds the manifests; other paths are seen from the folder of package.xml.
fn sort(files: BTreeMap<String, Vec<u8>>) -> Result<Archive, String> {
    let manifest = files
        .keys()
        .filter(|path| *path == "package.xml" || path.ends_with("/package.xml"))
        .min_by_key(|path| path.len())
        .ok_or("No package.xml found")?;
    let base = manifest.trim_end_matches("package.xml").to_owned();
    let mut archive = Archive::default();
    for (path, content) in files {
        let Some(inside) = path.strip_prefix(&base) else { continue };
        match inside {
            "package.xml" => archive.members = members(inside, &content)?,
            "destructiveChanges.xml" | "destructiveChangesPre.xml" | "destructiveChangesPost.xml" => {
                let listed = members(inside, &content)?;
                archive.removed.extend(listed.into_iter().map(|member| (member, inside.to_owned())));
            }
            _ => {
                archive.files.insert(inside.to_owned(), content);
            }
        }
    }
    Ok(archive)
}

fn members(file: &str, content: &[u8]) -> Result<Vec<Member>, String> {
    let text = std::str::from_utf8(content).map_err(|_| format!("{file} is not UTF-8"))?;
    let root = Element::read(text, "Package").map_err(|error| format!("{file}: {error}"))?;
    let types = root.all("types").flat_map(|types| {
        let kind = types.text("name").unwrap_or_default().trim().to_owned();
        // The CLI lists a folder of reports as `Box/`.
        types
            .all("members")
            .map(move |member| (kind.clone(), member.text.trim().trim_end_matches('/').to_owned()))
    });
    Ok(types.collect())
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use super::*;

    /// A zip file of these files.
    pub(in crate::simulator::metadata_api) fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    const PACKAGE: &str = "<Package xmlns=\"http://soap.sforce.com/2006/04/metadata\">\
        <types><members>A</members><members>B/</members><name>Flow</name></types><version>67.0</version></Package>";

    #[test]
    fn manifests_are_told_from_files() {
        let bytes = zipped(&[
            ("unpackaged/package.xml", PACKAGE),
            ("unpackaged/destructiveChangesPost.xml", PACKAGE),
            ("unpackaged/flows/A.flow", "<Flow/>"),
        ]);
        let archive = open(&bytes).unwrap();
        let member = |name: &str| ("Flow".to_owned(), name.to_owned());
        assert_eq!(archive.members, [member("A"), member("B")]);
        assert_eq!(archive.removed[0], (member("A"), "destructiveChangesPost.xml".to_owned()));
        assert_eq!(archive.files.keys().collect::<Vec<_>>(), ["flows/A.flow"]);
    }

    #[test]
    fn what_is_no_deploy_is_refused_in_words() {
        assert!(open(b"no zip").unwrap_err().contains("cannot be read"));
        assert_eq!(open(&zipped(&[("a.txt", "x")])).unwrap_err(), "No package.xml found");
        assert!(
            open(&zipped(&[("package.xml", "<Package>")])).unwrap_err().starts_with("package.xml: Error")
        );
    }
}

//! An admin's deploy into the simulated org, over the Metadata API's REST resource.

use std::{
    io::{Cursor, Write as _},
    time::Duration,
};

use serde_json::{Value, json};

use crate::processes::OrgProcess;

/// One file of a deploy: kind, full name, path in the package, and text.
pub type File<'a> = (&'a str, &'a str, &'a str, &'a str);

impl OrgProcess {
    /// Deploys these files and waits for the end, which must be a success.
    pub async fn deploy(&self, files: &[File<'_>]) {
        let zip = zipped(files);
        let mut body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"package.xml\"\r\n\
            Content-Type: application/zip\r\n\r\n"
            .to_vec();
        body.extend_from_slice(&zip);
        let options = json!({ "deployOptions": { "rollbackOnError": true, "singlePackage": true } });
        let tail = format!(
            "\r\n--b\r\nContent-Disposition: form-data; name=\"entity_content\"\r\n\
             Content-Type: application/json\r\n\r\n{options}\r\n--b--\r\n"
        );
        body.extend_from_slice(tail.as_bytes());
        let url = format!("{}/services/data/v67.0/metadata/deployRequest", self.text("/instance_url"));
        let request = reqwest::Client::new().post(url).bearer_auth(self.text("/users/admin/access_token"));
        let request = request.header("content-type", "multipart/form-data; boundary=b").body(body);
        let reply = request.send().await.expect("the org answers");
        let started: Value = serde_json::from_str(&reply.text().await.expect("a body")).expect("JSON");
        let id = started["id"].as_str().unwrap_or_else(|| panic!("{started}"));
        let path = format!("/metadata/deployRequest/{id}?includeDetails=true");
        for _ in 0..500 {
            let (_, told) = self.call("admin", "GET", &path, None).await;
            let result = &told["deployResult"];
            if result["done"] == true {
                assert_eq!(result["success"], true, "{result:#}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the deploy does not end");
    }
}

fn zipped(files: &[File<'_>]) -> Vec<u8> {
    let types: String = files
        .iter()
        .map(|(kind, name, ..)| format!("<types><members>{name}</members><name>{kind}</name></types>"))
        .collect();
    let manifest = format!(
        "<Package xmlns=\"http://soap.sforce.com/2006/04/metadata\">{types}<version>67.0</version></Package>"
    );
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let all = files.iter().map(|(_, _, path, text)| (*path, *text));
    for (path, text) in all.chain([("package.xml", manifest.as_str())]) {
        zip.start_file(path, zip::write::SimpleFileOptions::default()).expect("a name");
        zip.write_all(text.as_bytes()).expect("in memory");
    }
    zip.finish().expect("a zip").into_inner()
}

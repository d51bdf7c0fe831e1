//! Any bytes as a policy file: refused with reasons, or a policy that survives being written anew.

#![no_main]

use countersign::{
    config::policies::{check_against, compare::compare, lint::lint},
    domain::{ObjectSchema, Policy},
};
use countersign_fuzz::policy_text::{read, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let policy = match read(bytes) {
        Ok(policy) => policy,
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            problems.iter().for_each(|problem| assert!(!problem.to_string().is_empty()));
            return;
        }
    };
    let digest = policy.digest().expect("an accepted policy has a digest");
    let again = read(bytes).expect("what was accepted is accepted again");
    assert_eq!(again.digest().as_ref(), Ok(&digest), "the same text, another digest");
    let anew = write(&policy);
    match read(anew.as_bytes()) {
        Ok(read) => assert_eq!(read.digest().as_ref(), Ok(&digest), "written anew, another policy:\n{anew}"),
        Err(problems) => panic!("written anew it is refused: {problems:?}\n{anew}"),
    }
    let json = serde_json::to_string(&policy).expect("a policy has a JSON form");
    let kept: Policy = serde_json::from_str(&json).expect("a policy is read from its JSON form");
    assert_eq!(kept, policy, "the policy from JSON is another one");
    assert!(compare(&policy, &again).is_empty(), "a policy differs from itself");
    let _ = lint(&policy);
    for object in policy.objects.values() {
        let fields = Default::default();
        let schema = ObjectSchema {
            object: object.object.clone(),
            fields,
            auto_allowed: Vec::new(),
            required: Vec::new(),
            record_types: std::collections::BTreeMap::new(),
        };
        let _ = check_against(&policy, &schema);
    }
});

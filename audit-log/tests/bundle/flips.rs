//! Any single changed byte is detected, but in the two files that prove nothing and say so: the instructions and the verifier's copy.

use crate::log::{Log, key, key_only};
use crate::pack::files;
use crate::python::{Desk, rust};
use loopiq_audit_log::bundle;
use proptest::prelude::*;
use std::sync::LazyLock;

static BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut log = Log::new(12, &[5]);
    log.entries[7].content = None;
    log.bundle()
});

/// Whether the byte belongs to the instructions or the verifier.
fn is_advice(at: usize) -> bool {
    files(&BUNDLE)[..2]
        .iter()
        .any(|(_, start, end)| (*start..*end).contains(&at))
}

fn flipped(at: usize, mask: u8) -> Vec<u8> {
    let mut bundle = BUNDLE.clone();
    bundle[at] ^= mask;
    bundle
}

#[test]
fn any_bit_of_keys_manifest_and_checkpoints() {
    for (name, start, end) in &files(&BUNDLE)[2..6] {
        for at in *start..*end {
            let mask = 1 << (at % 8);
            let (valid, answer) = rust(&flipped(at, mask), &key_only());
            assert!(!valid, "{name}, byte {}: {answer}", at - start);
        }
    }
}

/// Where a flip is: most of the bundle's bytes are the verifier's, so the rest gets its share.
fn place() -> impl Strategy<Value = usize> {
    let end = BUNDLE.len();
    let evidence = files(&BUNDLE)[2].1 - 512;
    prop_oneof![0..end, evidence..end, evidence..end]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_byte(at in place(), mask in 1_u8..) {
        let outcome = bundle::verify(flipped(at, mask).as_slice(), &key_only(), |_, _| {});
        match outcome {
            Ok(report) => {
                prop_assert!(is_advice(at), "byte {at}");
                let verifier = &files(&BUNDLE)[1];
                prop_assert_eq!(report.verifier_is_known, !(verifier.1..verifier.2).contains(&at));
            }
            Err(fault) => prop_assert!(!is_advice(at), "{}", fault),
        }
    }
}

/// Reads `flips.txt` (byte and mask, a line each), and prints what `verify.py` says about the bundle with each flip.
const MANY: &str = r#"
import io, runpy
module = runpy.run_path("verify.py")
keys = module["read_keys"]("key.txt", module["LOG"])
bundle = open("bundle.tar", "rb").read()
for line in open("flips.txt"):
    at, mask = map(int, line.split())
    data = bytearray(bundle)
    data[at] ^= mask
    try:
        report = module["verify"](io.BytesIO(data), keys, [], None, lambda *_: None)
        print(" | ".join(report))
    except module["Fault"] as fault:
        print(f"not valid: {fault}")
"#;

#[test]
fn both_verifiers_say_the_same_about_flips() {
    let evidence = files(&BUNDLE)[2].1 - 512;
    // Every 29th byte, so that each column of the blocks has its turn.
    let flips: Vec<(usize, u8)> = (evidence..BUNDLE.len())
        .step_by(29)
        .map(|at| (at, 1 << (at % 8)))
        .collect();
    let desk = Desk::new();
    desk.put("bundle.tar", &BUNDLE);
    desk.put("key.txt", key().public().to_string().as_bytes());
    let lines: String = flips.iter().map(|(at, mask)| format!("{at} {mask}\n")).collect();
    desk.put("flips.txt", lines.as_bytes());
    desk.put("many.py", MANY.as_bytes());
    let output = desk
        .python()
        .arg("many.py")
        .output()
        .expect("python3 is installed (scripts/setup test does it)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = String::from_utf8(output.stdout).expect("text");
    assert_eq!(answers.lines().count(), flips.len());
    for ((at, mask), python) in flips.into_iter().zip(answers.lines()) {
        let (_, rust) = rust(&flipped(at, mask), &key_only());
        assert_eq!(rust.replace('\n', " | "), python, "byte {at}");
    }
}

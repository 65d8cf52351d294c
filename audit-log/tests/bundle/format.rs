//! The container and its files: what is missing, doubled, moved, hidden, too large, or has another form.

use crate::log::{Log, key_only};
use crate::pack::{files, pack, refused, refused_with, seal, small, unpack};
use crate::python::both;

#[test]
fn a_bundle_cut_off_anywhere() {
    let bundle = small();
    let whole = bundle.len();
    let mut cuts: Vec<usize> = vec![0, 1, 511, whole - 1024, whole - 512, whole - 1];
    for (_, start, end) in files(&bundle) {
        cuts.extend([
            start - 512,
            start - 1,
            start,
            (start + end) / 2,
            end,
            end.next_multiple_of(512),
        ]);
    }
    for cut in cuts {
        let (valid, answer) = both(&bundle[..cut], &key_only());
        assert!(
            !valid && answer.ends_with("the bundle ends here, incomplete"),
            "{cut}: {answer}"
        );
    }
    // The end of the container stands earlier: whole files are missing.
    let names = files(&bundle);
    for (missing, (name, ..)) in names.iter().enumerate() {
        let (valid, answer) = both(&pack(&unpack(&bundle)[..missing]), &key_only());
        let expected = match missing {
            0..5 => format!("{name}: the file is missing or not in its place"),
            _ => "entry 1 is missing, and all after it: the checkpoint of the bundle has 12 entries".to_owned(),
        };
        assert_eq!((valid, answer), (false, format!("not valid: {expected}")));
    }
}

#[test]
fn files_missing_doubled_or_moved() {
    let count = files(&small()).len();
    for at in 0..count {
        for other in 0..count {
            let mut files = unpack(&small());
            let file = files.remove(at);
            if other != at {
                files.insert(other, file.clone());
            }
            let (valid, answer) = both(&pack(&files), &key_only());
            // Without an older checkpoint, the bundle is another valid one that says less.
            assert_eq!(
                valid,
                at == other && file.0.starts_with("checkpoints/"),
                "{at} {other}: {answer}"
            );
        }
        let mut files = unpack(&small());
        files.insert(at, files[at].clone());
        assert!(!both(&pack(&files), &key_only()).0, "{at}");
    }
}

#[test]
fn files_that_do_not_belong() {
    let place = "the file is missing or not in its place";
    for name in [
        "extra.txt",
        "../keys.txt",
        "/etc/passwd",
        "entries/../x",
        "checkpoints/05.txt",
        "entries/1.jsonl",
        "ENTRIES/000001.jsonl",
    ] {
        refused_with(
            |files| files.insert(0, (name.to_owned(), vec![])),
            &format!("README.txt: {place}"),
        );
        refused_with(
            |files| files.insert(7, (name.to_owned(), vec![])),
            &format!("entries/000001.jsonl: {place}"),
        );
        refused_with(
            |files| files.push((name.to_owned(), vec![])),
            &format!("entries/000002.jsonl: {place}"),
        );
    }
    for name in ["", "a b", "é", "a\n", "a\\b"] {
        let files = |files: &mut Vec<(String, Vec<u8>)>| files.push((name.to_owned(), vec![]));
        refused_with(files, "entries/000002.jsonl: the header of this file is damaged");
    }
    let large = |at: usize, size: usize| move |files: &mut Vec<(String, Vec<u8>)>| files[at].1.resize(size, b'\n');
    for (at, name) in [
        "README.txt",
        "verify.py",
        "manifest.json",
        "keys.txt",
        "checkpoint.txt",
        "checkpoints/3.txt",
    ]
    .iter()
    .enumerate()
    {
        refused_with(large(at, (64 << 10) + 1), &format!("{name}: the file is too large"));
    }
    refused_with(large(7, (64 << 20) + 1), "entries/000001.jsonl: the file is too large");
}

#[test]
fn other_kinds_of_headers() {
    let bundle = small();
    let at = files(&bundle)[7].1 - 512;
    // A link, a folder, a sparse file, further names; another owner, mode, or a text of tar's own; numbers in other forms.
    let changes: [(usize, &[u8]); 12] = [
        (156, b"1"),
        (156, b"2"),
        (156, b"5"),
        (156, b"L"),
        (156, b"x"),
        (156, b"S"),
        (156, b"\0"),
        (345, b"prefix"),
        (265, b"root"),
        (108, b"0001750"),
        (257, b"ustar  \0"),
        (124, b"        7"),
    ];
    for (offset, bytes) in changes {
        let mut bundle = bundle.clone();
        bundle[at + offset..at + offset + bytes.len()].copy_from_slice(bytes);
        seal(&mut bundle[at..at + 512]);
        refused(&bundle, "entries/000001.jsonl: the header of this file is damaged");
    }
    // A size in base 256, as tar has it for large files.
    let mut large = bundle.clone();
    large[at + 124..at + 136].copy_from_slice(b"\x80\0\0\0\0\0\0\0\0\0\0\x09");
    seal(&mut large[at..at + 512]);
    refused(&large, "entries/000001.jsonl: the header of this file is damaged");
    for (more, reason) in [
        (1, "entries/000002.jsonl: the bundle goes on after its end"),
        (9_216, "entries/000002.jsonl: the bundle goes on after its end"),
    ] {
        refused(&[bundle.clone(), vec![0; more]].concat(), reason);
    }
    refused(
        &[bundle.clone(), bundle].concat(),
        "entries/000002.jsonl: the bundle goes on after its end",
    );
    refused(&vec![0; 10_240], "README.txt: the bundle goes on after its end");
    refused(b"\x1f\x8b compressed", "README.txt: the bundle ends here, incomplete");
}

#[test]
fn files_with_other_contents() {
    let manifest = "manifest.json: it does not describe a bundle of version 1";
    for (from, to) in [
        ("\"version\":1", "\"version\":2"),
        ("\"version\":1", "\"version\":1.0"),
        ("\"version\":1", "\"version\":true"),
        ("\"version\":1", "\"version\":1,\"version\":1"),
        ("\"contents\":true", "\"contents\":1"),
        ("\"contents\":true", "\"contents\": true"),
        ("\"contents\":true,", ""),
        ("{", "{\"a\":1,"),
        ("\"size\":12", "\"size\":-12"),
        ("\"size\":12", "\"size\":12e0"),
        ("\"size\":12", "\"size\":99999999999999999999"),
        ("loopiq-audit-bundle", "another"),
        ("\"acme\"", "\"Acme\""),
        ("\"acme\"", "\"\u{202e}acme\""),
        ("\"acme\"", "null"),
        ("loopiq.example", "loopiq example"),
        ("}\n", "}"),
        ("}\n", "}\n\n"),
        ("{", &"[".repeat(60_000)),
    ] {
        refused_with(
            |files| {
                let text = String::from_utf8(files[2].1.clone()).expect("text");
                assert!(text.contains(from));
                files[2].1 = text.replace(from, to).into_bytes();
            },
            manifest,
        );
    }
    refused_with(
        |files| files[2].1 = b"\xff".to_vec(),
        "manifest.json: the file is not UTF-8 text",
    );
    refused_with(
        |files| files[3].1.push(b'\n'),
        "keys.txt: it is not a list of public keys",
    );
    refused_with(|files| files[3].1.clear(), "keys.txt: it is not a list of public keys");
    refused_with(
        |files| files[3].1 = files[3].1.repeat(2),
        "keys.txt: it is not a list of public keys",
    );
    refused_with(
        |files| {
            let first = files[3].1.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
            files[3].1.truncate(first);
        },
        "the older checkpoint checkpoints/3.txt: it is signed by a key that keys.txt does not list",
    );
    refused_with(
        |files| files[5].1 = files[6].1.clone(),
        "the older checkpoint checkpoints/3.txt: it has another size than the bundle says",
    );
    refused_with(
        |files| files.swap(5, 6),
        "the older checkpoint checkpoints/3.txt: it is not in its place",
    );
    let newest =
        |files: &mut Vec<(String, Vec<u8>)>| files.insert(7, ("checkpoints/12.txt".to_owned(), files[4].1.clone()));
    refused_with(
        newest,
        "the older checkpoint checkpoints/12.txt: it is not in its place",
    );
    refused_with(
        |files| files[2].1 = String::from_utf8_lossy(&files[2].1).replace(":12", ":11").into_bytes(),
        "the checkpoint of the bundle: it has another size than the bundle says",
    );
    refused_with(
        |files| files[7].1 = files[7].1.strip_suffix(b"\n").expect("a line").to_vec(),
        "entries/000001.jsonl: its last line has no end",
    );
    refused_with(
        |files| files[7].1.clear(),
        "entries/000001.jsonl: its last line has no end",
    );
    refused_with(
        |files| files[7].1 = vec![b'\n'; 4_097],
        "entries/000001.jsonl: the file has too many lines",
    );
    let damaged = "is damaged: its line does not have the form of an entry";
    refused_with(|files| files[7].1.insert(0, b'\n'), &format!("entry 1 {damaged}"));
    refused_with(
        |files| files[7].1 = [b"\xff".to_vec(), files[7].1.clone()].concat(),
        &format!("entry 1 {damaged}"),
    );
    refused_with(
        |files| files[7].1 = String::from_utf8_lossy(&files[7].1).replace('\n', "\r\n").into_bytes(),
        &format!("entry 1 {damaged}"),
    );
    refused_with(
        |files| {
            files[2].1 = String::from_utf8_lossy(&files[2].1)
                .replace("true", "false")
                .into_bytes()
        },
        "entry 1 has a content, in a bundle without contents",
    );
}

/// Contents whose hashes are right because the service itself would have had to write them: they must have one meaning.
#[test]
fn contents_with_more_than_one_meaning() {
    let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    let wide = format!("{{\"a\":[{}[]]}}", "[],".repeat(500));
    let long = format!("{{\"a\":{}}}", "1".repeat(300));
    let good = ["{}", " {}", r#"{"a":"\ud83d\ude00"}"#, &deep(127), &wide, &long];
    let bad = [
        "1",
        "[]",
        "{\"a\":1,\"a\":2}",
        r#"{"a":1,"\u0061":2}"#,
        r#"{"a":"\ud83d"}"#,
        r#"{"\ud83d":1}"#,
        r#"{"a":NaN}"#,
        r#"{"a":-Infinity}"#,
        r#"{"a":1e999}"#,
        &long.replace('1', "1111111111111111"),
        &deep(128),
        &deep(5_000),
        "{\"a\":\"\u{1}\"}",
        r#"{"a":01}"#,
        r#"{"a":1,}"#,
        r#"{},"leaf":{}"#,
        "{}}",
    ];
    let with = |content: &str| {
        let mut log = Log::new(2, &[]);
        log.head.contents = true;
        content.clone_into(log.entries[1].content_mut());
        log.entries[1].rehash();
        log.sign();
        // The writer keeps what is not JSON apart, so the line is put in by hand.
        let mut files = unpack(&log.bundle());
        let text = String::from_utf8(files[5].1.clone()).expect("text");
        let start = text.rfind("\"content\":").expect("a content") + 10;
        files[5].1 = format!("{}{content}}}\n", &text[..start]).into_bytes();
        both(&pack(&files), &key_only())
    };
    for content in good.into_iter().filter(|content| content.starts_with('{')) {
        assert!(with(content).0, "{content}");
    }
    for content in bad {
        let reason = "not valid: entry 2 has a content that is not a JSON object with one meaning";
        assert_eq!(with(content), (false, reason.to_owned()), "{content}");
    }
}

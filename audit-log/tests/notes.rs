//! Signed notes: the published example of Go's package, witnesses, and what is refused.

use loopiq_audit_log::{
    Checkpoint, Cosigner, Hash, NotACheckpoint, NotAKey, Note, NoteError, PublicKey, Signature, SigningKey,
};

/// The example of `golang.org/x/mod/sumdb/note`.
const SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const LINE: &str =
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

fn signing() -> SigningKey {
    SigningKey::from_secret(SECRET).expect("the example's key")
}

fn public() -> PublicKey {
    PUBLIC.parse().expect("the example's key")
}

fn signed() -> Note {
    let mut note = Note::new(TEXT.to_owned());
    note.sign(&signing());
    note
}

#[test]
fn the_published_note() {
    assert_eq!(signed().to_string(), format!("{TEXT}\n{LINE}\n"));
    assert_eq!(format!("{TEXT}\n{LINE}\n").parse(), Ok(signed()));
    assert_eq!(signed().verify(&[public()]), Ok(&public()));
    assert_eq!(
        (public().to_string(), signing().to_secret()),
        (PUBLIC.to_owned(), SECRET.to_owned())
    );
    assert_eq!(format!("{:?}", signing()), format!("SigningKey({PUBLIC})"));
}

#[test]
fn a_note_by_others_is_not_accepted() {
    let mut other = Note::new(TEXT.to_owned());
    other.sign(&SigningKey::new("PeterNeumann", &[7; 32]).expect("a key"));
    assert_eq!(other.verify(&[public()]), Err(NoteError::Unsigned));
    assert_eq!(Note::new(TEXT.to_owned()).verify(&[public()]), Err(NoteError::Unsigned));
    // Signatures by unknown keys do no harm.
    other.sign(&signing());
    assert_eq!(other.verify(&[public()]), Ok(&public()));
    let mut forged = signed();
    forged.text = TEXT.replace("answer", "anchor");
    assert_eq!(
        forged.verify(&[public()]),
        Err(NoteError::Forged("PeterNeumann".to_owned()))
    );
}

#[test]
fn what_is_no_note() {
    let good = signed().to_string();
    for bad in [
        "",
        "\n",
        TEXT,
        &good[..good.len() - 1],
        &good.replace("— ", "- "),
        &good.replace("PeterNeumann", ""),
        &good.replace("PeterNeumann ", "PeterNeumann"),
        &good.replace("x08g", "x08"),
        &good.replace("x08g", "x0*g"),
        &format!("{good}\n"),
        &good.replace("answer", "an\0swer"),
        &good.replace("x08go/ZJ", "x08g"),
        &format!("{}{good}", "a line\n".repeat(10_000)),
        &format!("{good}{}", format!("{LINE}\n").repeat(101)),
    ] {
        let read = bad.parse::<Note>();
        let refused = matches!(&read, Err(NoteError::Malformed(_)));
        assert!(
            refused || read.is_ok_and(|note| note.verify(&[public()]).is_err()),
            "{bad}"
        );
    }
}

#[test]
fn a_witness_says_when_it_saw_the_note() {
    let witness = SigningKey::new("witness.example", &[9; 32]).expect("a key");
    let cosigner: Cosigner = witness.cosigner().to_string().parse().expect("its public key");
    let mut note = signed();
    assert_eq!(note.verify_witness(&cosigner), Err(NoteError::Unsigned));
    let line = note.cosignature(&witness, 1_795_000_000).to_string();
    note.signatures.push(Signature::from_line(&line).expect("a line"));
    assert_eq!(note.verify_witness(&cosigner), Ok(1_795_000_000));
    assert_eq!(note.to_string().parse(), Ok(note.clone()));
    // The witness's key is no log's key, and the other way around.
    assert_eq!(cosigner.to_string().parse::<PublicKey>(), Err(NotAKey::Kind));
    assert_eq!(PUBLIC.parse::<Cosigner>(), Err(NotAKey::Kind));
    let time = note.signatures[1].bytes.clone();
    note.signatures[1].bytes[7] ^= 1;
    assert_eq!(
        note.verify_witness(&cosigner),
        Err(NoteError::Forged("witness.example".to_owned()))
    );
    for bytes in [time[..8].to_vec(), time[..7].to_vec(), vec![0]] {
        note.signatures[1].bytes = bytes;
        assert!(note.verify_witness(&cosigner).is_err());
    }
}

#[test]
fn what_is_no_key() {
    for (bad, error) in [
        ("", NotAKey::Format),
        ("name", NotAKey::Format),
        ("name+c74f20a3", NotAKey::Format),
        ("name+zzzzzzzz+AA==", NotAKey::Format),
        ("name+c74f20a3+", NotAKey::Format),
        (
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
            NotAKey::Format,
        ),
        (
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            NotAKey::Hash,
        ),
        (
            "Peter+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            NotAKey::Hash,
        ),
        (
            "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            NotAKey::Name,
        ),
    ] {
        assert_eq!(bad.parse::<PublicKey>(), Err(error), "{bad}");
    }
    for bad in [
        "",
        PUBLIC,
        "PRIVATE+KEY+",
        &SECRET.replace("c74f", "c74e"),
        &SECRET[..SECRET.len() - 4],
    ] {
        let error = SigningKey::from_secret(bad).expect_err("no key");
        assert!(bad.len() < 40 || !error.to_string().contains(bad), "{error}");
    }
    assert_eq!(SigningKey::new("a b", &[0; 32]).err(), Some(NotAKey::Name));
    assert_eq!(SigningKey::new("", &[0; 32]).err(), Some(NotAKey::Name));
}

#[test]
fn a_checkpoint_has_one_text() {
    let checkpoint = Checkpoint {
        origin: "loopiq.example/audit/acme".to_owned(),
        size: 20_852_163,
        root: Hash::of(b"root"),
    };
    let text = checkpoint.to_string();
    assert_eq!(text.parse(), Ok(checkpoint.clone()));
    assert_eq!(format!("{text}an extension\n").parse(), Ok(checkpoint));
    for bad in [
        "",
        "a\n1\n",
        &text[..text.len() - 1],
        &text.replace("20852163", "020852163"),
        &text.replace("20852163", "+20852163"),
        &text.replace("20852163", "-1"),
        &text.replace("20852163", "99999999999999999999"),
        &text.replace("loopiq.example/audit/acme", ""),
        &format!("{text}\n"),
        &text.replace('=', ""),
    ] {
        assert_eq!(bad.parse::<Checkpoint>(), Err(NotACheckpoint), "{bad}");
    }
}

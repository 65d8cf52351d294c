//! Witnesses over real HTTP: one that keeps to the protocol, and ones that are down, slow, or lie.

use super::*;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use loopiq::context::Ctx;
use loopiq::store::Store;
use loopiq_audit_log::{Checkpoint, ConsistencyProof, Hash, Note, PublicKey, SigningKey};
use loopiq_testing::Database;
use loopiq_testing::fixtures::{TestClock, asserted, browser_session};
use std::sync::{Arc, Mutex};

/// An engine with one tenant and some entries.
struct Log {
    engine: Engine,
    tenant: TenantId,
    client: reqwest::Client,
    signed_in: u32,
    _database: Database,
}

impl Log {
    async fn new() -> Self {
        let database = Database::new().await;
        let runtime = TestClock::ticking("2026-11-22T09:00:00Z").runtime();
        let engine = Engine::new(Store::open(&database.url).await.unwrap(), runtime.clone(), "");
        let tenant = TenantId::parse("acme").unwrap();
        let ctx = Ctx::system(tenant.clone(), &runtime);
        let insert = engine
            .store()
            .write::<_, Error, _>(&ctx, |tx| Box::pin(async move { Ok(tx.insert_tenant("Acme").await?) }));
        insert.await.unwrap();
        let client = client().unwrap();
        let mut log = Self {
            engine,
            tenant,
            client,
            signed_in: 0,
            _database: database,
        };
        log.grow(3).await;
        log
    }

    async fn grow(&mut self, entries: u32) {
        for _ in 0..entries {
            self.signed_in += 1;
            let email = format!("auditor{}@acme.example", self.signed_in);
            let who = asserted("http://127.0.0.1/idp", &email, &[loopiq::domain::Role::Auditor]);
            let origin = loopiq::engine::RequestOrigin::default();
            let (tenant, person) = self.engine.sign_in("acme", who, &origin).await.unwrap();
            let principal = loopiq::domain::Principal::Person {
                tenant,
                person,
                session: email,
            };
            let session = origin.context(principal, self.engine.runtime());
            self.engine
                .signed_in(&session, &browser_session(1, None))
                .await
                .unwrap();
        }
    }

    async fn pass(&self, witness: &Witness) -> (u64, Option<String>) {
        pass(&self.engine, &self.client, std::slice::from_ref(witness)).await;
        let deliveries = self.engine.deliveries(&self.tenant).await.unwrap();
        let delivery = deliveries
            .into_iter()
            .find(|one| one.witness == witness.name())
            .unwrap();
        (delivery.size, delivery.error)
    }

    async fn latest(&self) -> Note {
        match self.engine.sign_checkpoint(&self.tenant).await.unwrap() {
            Signed::New(checkpoint) | Signed::UpToDate(checkpoint) => checkpoint.note,
            Signed::Empty => panic!("an empty log"),
        }
    }
}

/// What a witness of the tests does with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Honest,
    Silent,
    ForgesItsSignature,
    SaysItHas(u64),
    Rambles,
    Redirects,
}

/// A witness as C2SP tlog-witness describes it, with one log.
struct Signer {
    key: SigningKey,
    log: PublicKey,
    seen: Option<Checkpoint>,
    mood: Mood,
}

type Shared = Arc<Mutex<Signer>>;

fn signer(log: &Log) -> Shared {
    let public = log.engine.log_public_keys();
    Arc::new(Mutex::new(Signer {
        key: SigningKey::new("witness.example", &[9; 32]).unwrap(),
        log: public[0].parse().unwrap(),
        seen: None,
        mood: Mood::Honest,
    }))
}

async fn serve(signer: Shared) -> Witness {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let key = signer.lock().unwrap().key.cosigner();
    let router = axum::Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .with_state(signer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("{key}@{url}").parse().unwrap()
}

async fn add_checkpoint(State(signer): State<Shared>, body: String) -> axum::response::Response {
    use axum::response::IntoResponse;
    let mood = signer.lock().unwrap().mood;
    match mood {
        Mood::Silent => std::future::pending::<()>().await,
        Mood::SaysItHas(size) => return (StatusCode::CONFLICT, format!("{size}\n")).into_response(),
        Mood::Rambles => return "x".repeat(1 << 20).into_response(),
        Mood::Redirects => return axum::response::Redirect::temporary("http://127.0.0.1:9/").into_response(),
        Mood::Honest | Mood::ForgesItsSignature => {}
    }
    let mut signer = signer.lock().unwrap();
    let (head, note) = body.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let old: u64 = lines.next().unwrap().strip_prefix("old ").unwrap().parse().unwrap();
    let hashes = lines.map(|line| {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(line).unwrap();
        Hash(bytes.try_into().unwrap())
    });
    let hashes: Vec<Hash> = hashes.collect();
    let note: Note = note.parse().unwrap();
    if note.verify(std::slice::from_ref(&signer.log)).is_err() {
        return StatusCode::FORBIDDEN.into_response();
    }
    let checkpoint: Checkpoint = note.text.parse().unwrap();
    let size = signer.seen.as_ref().map_or(0, |seen| seen.size);
    if old != size {
        return (StatusCode::CONFLICT, format!("{size}\n")).into_response();
    }
    if let Some(seen) = &signer.seen {
        let proof = ConsistencyProof {
            old_size: old,
            size: checkpoint.size,
            hashes,
        };
        if proof.verify(&seen.root, &checkpoint.root).is_err() {
            return StatusCode::UNPROCESSABLE_ENTITY.into_response();
        }
    }
    let mut signature = note.cosignature(&signer.key, 1_795_000_000);
    if mood == Mood::ForgesItsSignature {
        signature.bytes[20] ^= 1;
    }
    signer.seen = Some(checkpoint);
    format!("{signature}\n").into_response()
}

#[tokio::test]
async fn a_witness_signs_each_checkpoint_and_gets_the_proof_that_the_log_only_grew() {
    let mut log = Log::new().await;
    let signer = signer(&log);
    let witness = serve(signer.clone()).await;
    let key = signer.lock().unwrap().key.cosigner();
    assert_eq!(log.pass(&witness).await, (3, None));
    assert_eq!(log.latest().await.verify_witness(&key), Ok(1_795_000_000));
    // Nothing new happened: no further checkpoint, although the first one has an entry of its own.
    assert_eq!(log.pass(&witness).await, (3, None));
    for entries in [1, 20, 300] {
        log.grow(entries).await;
        let (size, error) = log.pass(&witness).await;
        assert_eq!(
            (error, signer.lock().unwrap().seen.clone().map(|seen| seen.size)),
            (None, Some(size))
        );
    }
    // The witness lost its state, or the database was restored from a backup: the witness's word counts.
    let before = signer.lock().unwrap().seen.take();
    log.grow(1).await;
    assert_eq!(log.pass(&witness).await.1, None);
    assert!(signer.lock().unwrap().seen.as_ref().map(|seen| seen.size) > before.map(|seen| seen.size));
}

#[tokio::test]
async fn a_witness_that_is_down_slow_or_lies_stops_nothing_and_is_tried_again() {
    let mut log = Log::new().await;
    let signer = signer(&log);
    let witness = serve(signer.clone()).await;
    for (mood, says) in [
        (Mood::Silent, "no answer"),
        (Mood::ForgesItsSignature, "does not fit"),
        (Mood::SaysItHas(1_000_000), "1000000 entries"),
        (Mood::SaysItHas(1), "checkpoint of 1 entries"),
        (Mood::Rambles, "too long"),
        (Mood::Redirects, "307"),
    ] {
        signer.lock().unwrap().mood = mood;
        signer.lock().unwrap().seen = None;
        let (size, error) = log.pass(&witness).await;
        assert_eq!(size, 0, "{mood:?}");
        assert!(
            error.as_deref().is_some_and(|error| error.contains(says)),
            "{mood:?}: {error:?}"
        );
    }
    let down: Witness = format!("{}@http://127.0.0.1:9", signer.lock().unwrap().key.cosigner())
        .parse()
        .unwrap();
    assert!(
        log.pass(&down)
            .await
            .1
            .is_some_and(|error| error.contains("request failed"))
    );

    // A witness that has seen another log, as after a rewrite, refuses this one.
    signer.lock().unwrap().mood = Mood::Honest;
    let forked = Checkpoint {
        origin: "loopiq.test/audit/acme".to_owned(),
        size: 2,
        root: Hash::of(b"another log"),
    };
    signer.lock().unwrap().seen = Some(forked);
    let (size, error) = log.pass(&witness).await;
    assert!(size == 0 && error.is_some_and(|error| error.contains("another log")));

    signer.lock().unwrap().seen = None;
    log.grow(1).await;
    assert_eq!(log.pass(&witness).await.1, None);
}

#[tokio::test]
async fn a_folder_and_an_endpoint_get_the_notes() {
    let mut log = Log::new().await;
    let temp = tempfile::tempdir().unwrap();
    let folder: Witness = temp.path().join("witness").to_str().unwrap().parse().unwrap();
    assert_eq!(log.pass(&folder).await, (3, None));
    let first = log.latest().await;
    log.grow(2).await;
    log.pass(&folder).await;
    let read = |name: &str| std::fs::read_to_string(temp.path().join("witness").join(name)).unwrap();
    let latest = log.latest().await;
    assert_eq!(read("acme.checkpoint"), latest.to_string());
    assert_eq!(read("acme.checkpoints"), format!("{first}\n{latest}\n"));

    // A folder that has a longer log keeps it.
    let latest_file = temp.path().join("witness/acme.checkpoint");
    let mut other = Checkpoint {
        origin: "loopiq.test/audit/acme".to_owned(),
        size: 1_000,
        root: Hash::of(b"other"),
    }
    .to_note();
    other.sign(&log.engine.runtime().log_keys().unwrap().signing());
    std::fs::write(&latest_file, other.to_string()).unwrap();
    log.grow(1).await;
    let (_, error) = log.pass(&folder).await;
    assert!(error.is_some_and(|error| error.contains("does not continue")));
    assert_eq!(std::fs::read_to_string(&latest_file).unwrap(), other.to_string());

    let latest = log.latest().await;
    let received: Arc<Mutex<Vec<String>>> = Arc::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint: Witness = format!("http://{}/notes", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let keep = |State(received): State<Arc<Mutex<Vec<String>>>>, body: String| async move {
        received.lock().unwrap().push(body);
    };
    let router = axum::Router::new()
        .route("/notes", post(keep))
        .with_state(received.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    assert_eq!(log.pass(&endpoint).await.1, None);
    assert_eq!(*received.lock().unwrap(), [latest.to_string()]);

    let file = temp.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let no_folder: Witness = file.to_str().unwrap().parse().unwrap();
    assert!(
        log.pass(&no_folder)
            .await
            .1
            .is_some_and(|error| error.contains("cannot be written"))
    );
}

#[test]
fn what_is_no_witness() {
    for bad in [
        "",
        " ",
        "http://witness.example",
        "ftp://witness.example",
        "key@https://witness.example",
        "name+00000000+AA==@https://w.example",
    ] {
        assert!(bad.parse::<Witness>().is_err(), "{bad}");
    }
    assert_eq!(
        "https://w.example/x".parse(),
        Ok(Witness::Endpoint("https://w.example/x".to_owned()))
    );
    assert_eq!(
        "/var/log/checkpoints".parse(),
        Ok(Witness::Folder("/var/log/checkpoints".into()))
    );
}

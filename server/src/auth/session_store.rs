//! Browser sessions in the database. The table contains a digest of each session's ID, so that a reader of the table cannot use the
//! session.

use super::{LIFETIME, SESSION_PERSON, SESSION_USER};
use async_trait::async_trait;
use loopiq::context::Runtime;
use loopiq::domain::Timestamp;
use loopiq::domain::canonical::sha256_hex;
use loopiq::store::{Store, StoreError};
use std::collections::HashMap;
use std::fmt;
use time::OffsetDateTime;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

/// The sessions of an installation.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
    runtime: Runtime,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

/// The session's key in the database, and its name in audit entries: SHA-256 of its ID, in hex.
pub(super) fn digest(id: &Id) -> String {
    sha256_hex(id.to_string().as_bytes())
}

impl Sessions {
    /// The sessions in this database, with this clock.
    pub fn new(store: Store, runtime: Runtime) -> Self {
        Self { store, runtime }
    }

    /// When a session used now ends. The library would use the system's clock.
    fn expires(&self) -> Timestamp {
        self.runtime.now().plus(LIFETIME)
    }
}

fn backend(error: StoreError) -> Error {
    Error::Backend(error.to_string())
}

/// Refuses a session without a signed-in person: a client that is not signed in must not write to the database.
fn require_user(record: &Record) -> Result<()> {
    if record.data.contains_key(SESSION_USER) {
        return Ok(());
    }
    Err(Error::Backend(
        "a session without a signed-in person is not stored".to_owned(),
    ))
}

/// The stored data: without the person, whom each load reads from the database.
fn encode(record: &Record) -> Result<String> {
    let stored: HashMap<_, _> = record.data.iter().filter(|(key, _)| *key != SESSION_PERSON).collect();
    serde_json::to_string(&stored).map_err(|error| Error::Encode(error.to_string()))
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        require_user(record)?;
        let data = encode(record)?;
        let expires = self.expires();
        // IDs have 128 random bits. A collision means that the random numbers are bad, so there are only few attempts.
        for _ in 0..3 {
            if self
                .store
                .create_session(&digest(&record.id), &data, expires)
                .await
                .map_err(backend)?
            {
                return Ok(());
            }
            record.id = Id::default();
        }
        Err(Error::Backend("no free session ID was found".to_owned()))
    }

    async fn save(&self, record: &Record) -> Result<()> {
        // Only an update: a request that ends after its session was deleted must not create the session again.
        self.store
            .save_session(&digest(&record.id), &encode(record)?, self.expires())
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some((data, person)) = self
            .store
            .session(&digest(id), self.runtime.now())
            .await
            .map_err(backend)?
        else {
            return Ok(None);
        };
        let decode = |error: serde_json::Error| Error::Decode(error.to_string());
        let mut data: HashMap<String, serde_json::Value> = serde_json::from_str(&data).map_err(decode)?;
        if let Some(person) = person {
            data.insert(SESSION_PERSON.to_owned(), serde_json::to_value(person).map_err(decode)?);
        }
        // The library sets this date before it saves a session. The store uses the date in the database.
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date: OffsetDateTime::UNIX_EPOCH,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.store.delete_session(&digest(id)).await.map_err(backend)
    }
}

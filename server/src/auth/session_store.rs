//! Browser sessions in the database, under a digest of their ID: whoever reads the table can't take one over.

use super::{HOLDER, LIFETIME, WHO};
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

/// The key that a session is kept under, and its name in audit entries: SHA-256 of its ID, in hex.
pub(super) fn digest(id: &Id) -> String {
    sha256_hex(id.to_string().as_bytes())
}

impl Sessions {
    /// The sessions in this database, by this clock.
    pub fn new(store: Store, runtime: Runtime) -> Self {
        Self { store, runtime }
    }

    /// Until when a session lives. By our own clock, not the library's.
    fn expires(&self) -> Timestamp {
        self.runtime.now().plus(LIFETIME)
    }
}

fn backend(error: StoreError) -> Error {
    Error::Backend(error.to_string())
}

/// Whether somebody is signed in there. Nothing is kept for anybody else: who has no identity writes nothing to the database.
fn must_be_somebody_s(record: &Record) -> Result<()> {
    if record.data.contains_key(WHO) {
        return Ok(());
    }
    Err(Error::Backend("nobody is signed in, so no session is kept".to_owned()))
}

/// What is kept: all but the holder, who is looked up anew each time.
fn written(record: &Record) -> Result<String> {
    let kept: HashMap<_, _> = record.data.iter().filter(|(key, _)| *key != HOLDER).collect();
    serde_json::to_string(&kept).map_err(|error| Error::Encode(error.to_string()))
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        must_be_somebody_s(record)?;
        let data = written(record)?;
        let expires = self.expires();
        // 128 random bits: a second turn means that the random numbers are not, so the turns are few.
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
        // An update alone: a request that ends after its session was signed out must not bring it back.
        self.store
            .save_session(&digest(&record.id), &written(record)?, self.expires())
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some((data, holder)) = self
            .store
            .session(&digest(id), self.runtime.now())
            .await
            .map_err(backend)?
        else {
            return Ok(None);
        };
        let decode = |error: serde_json::Error| Error::Decode(error.to_string());
        let mut data: HashMap<String, serde_json::Value> = serde_json::from_str(&data).map_err(decode)?;
        if let Some(holder) = holder {
            data.insert(HOLDER.to_owned(), serde_json::to_value(holder).map_err(decode)?);
        }
        // The library sets the date anew before it saves; what counts is the one in the database.
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

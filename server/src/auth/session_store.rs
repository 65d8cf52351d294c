//! Browser sessions in the database. The table contains a keyed digest of each session's ID: a reader of the table cannot use the session, and a
//! writer without the service's secret key cannot insert one.

use super::{SESSION, SESSION_PERSON};
use crate::session_settings::SessionSettings;
use crate::state::AppState;
use async_trait::async_trait;
use loopiq::context::Runtime;
use loopiq::domain::BrowserSession;
use loopiq::store::{NewSession, Store, StoreError};
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
    settings: SessionSettings,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

/// The session's key in the database, and the beginning of its name in audit entries.
pub(super) fn digest(runtime: &Runtime, id: &Id) -> String {
    runtime.digest_key().of_session(&id.to_string())
}

impl Sessions {
    /// The sessions in this database, with this clock and this key of digests.
    pub fn new(store: Store, runtime: Runtime, settings: SessionSettings) -> Self {
        Self {
            store,
            runtime,
            settings,
        }
    }

    pub(super) fn of(state: &AppState) -> Self {
        Self::new(state.store.clone(), state.runtime.clone(), state.sessions)
    }
}

fn backend(error: StoreError) -> Error {
    Error::Backend(error.to_string())
}

/// The signed-in person's session. A record without one is not stored: a client that is not signed in must not write to the database.
fn browser_session(record: &Record) -> Result<BrowserSession> {
    let Some(session) = record.data.get(SESSION) else {
        return Err(Error::Backend(
            "a session without a signed-in person is not stored".to_owned(),
        ));
    };
    serde_json::from_value(session.clone()).map_err(|error| Error::Encode(error.to_string()))
}

/// What pages keep in the session. The session itself and the person have columns.
fn encode(record: &Record) -> Result<String> {
    let pages = |key: &str| key != SESSION && key != SESSION_PERSON;
    let stored: HashMap<_, _> = record.data.iter().filter(|(key, _)| pages(key)).collect();
    serde_json::to_string(&stored).map_err(|error| Error::Encode(error.to_string()))
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let session = browser_session(record)?;
        let data = encode(record)?;
        // The library would use the system's clock.
        let expires = session.expires_at(self.settings.idle);
        // IDs have 128 random bits. A collision means that the random numbers are bad, so there are only few attempts.
        for _ in 0..3 {
            let new = NewSession {
                digest: digest(&self.runtime, &record.id),
                session: session.clone(),
                expires,
            };
            if self.store.create_session(new, &data).await.map_err(backend)? {
                return Ok(());
            }
            record.id = Id::default();
        }
        Err(Error::Backend("no free session ID was found".to_owned()))
    }

    async fn save(&self, record: &Record) -> Result<()> {
        // Only an update: a request that ends after its session was deleted must not create the session again.
        self.store
            .save_session(&digest(&self.runtime, &record.id), &encode(record)?)
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let found = self
            .store
            .session(&digest(&self.runtime, id), self.runtime.now())
            .await
            .map_err(backend)?;
        let Some(found) = found else { return Ok(None) };
        let decode = |error: serde_json::Error| Error::Decode(error.to_string());
        let mut data: HashMap<String, serde_json::Value> = serde_json::from_str(&found.data).map_err(decode)?;
        data.insert(SESSION.to_owned(), serde_json::to_value(found.session).map_err(decode)?);
        if let Some(person) = found.person {
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
        self.store
            .delete_session(&digest(&self.runtime, id))
            .await
            .map_err(backend)
    }
}

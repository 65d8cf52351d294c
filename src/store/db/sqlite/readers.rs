//! A bounded pool of connections that read.

use super::Connection;
use crate::store::db::error::DatabaseError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The statements that a reading connection runs first. `query_only` refuses writes on it.
const SETUP: &str = "PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY; \
     PRAGMA cache_size = -8000; PRAGMA query_only = ON;";

/// The pool. The connection that was used last is used first, because its cache is warm.
#[derive(Clone)]
pub(in crate::store) struct Readers {
    url: Arc<str>,
    deadline: Duration,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// A pool of at most `size` connections, whose statements take at most `deadline`.
    pub(in crate::store) fn new(url: &str, size: usize, deadline: Duration) -> Self {
        Self {
            url: url.into(),
            deadline,
            idle: Arc::default(),
            permits: Arc::new(Semaphore::new(size)),
        }
    }

    /// A connection. Waits for up to `wait` if all of them are in use.
    pub(in crate::store) async fn get(&self, wait: Duration) -> Result<Reader, DatabaseError> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(tokio::sync::TryAcquireError::Closed) => return Err(DatabaseError::Closed),
            Err(tokio::sync::TryAcquireError::NoPermits) => {
                let permit = tokio::time::timeout(wait, Arc::clone(&self.permits).acquire_owned()).await;
                permit
                    .map_err(|_| DatabaseError::NoConnection)?
                    .map_err(|_| DatabaseError::Closed)?
            }
        };
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => {
                connection.begin_turn();
                connection
            }
            None => {
                let connection = Connection::open(&self.url, Some(self.deadline))?;
                connection.execute_batch(SETUP)?;
                connection
            }
        };
        Ok(Reader {
            connection: Some(connection),
            idle: Arc::clone(&self.idle),
            permits: Arc::clone(&self.permits),
            _permit: permit,
        })
    }

    /// Closes the connections. One that is in use is closed when its reader is dropped.
    pub(in crate::store) fn close(&self) {
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A connection in use, which returns to its pool when it is dropped.
pub(in crate::store) struct Reader {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    /// The connection.
    pub(in crate::store) fn connection(&mut self) -> Result<&mut Connection, DatabaseError> {
        self.connection.as_mut().ok_or(DatabaseError::Closed)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        // A connection that cannot end its transaction, or whose statements are cancelled, is closed instead.
        let ended = !connection.is_in_transaction() || connection.execute_batch("ROLLBACK").is_ok();
        if ended && !connection.is_cancelled() && !self.permits.is_closed() {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
    }
}

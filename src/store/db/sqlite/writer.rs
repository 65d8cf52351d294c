//! The thread that writes. SQLite has one writer at a time, so that more threads would only wait for each other.

use super::Connection;
use crate::store::db::error::DatabaseError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// WAL: readers never wait for the writer. FULL: acknowledged writes survive a power cut. The busy timeout is in milliseconds: a statement
/// waits for the lock of another process. A negative cache size is in KiB. SQLite reuses the write-ahead log from its start when no reader
/// needs its content, so a reader that stays open makes the log grow. `journal_size_limit`: to how many bytes SQLite then truncates it.
/// `wal_autocheckpoint`: after how many pages of the log they are copied into the database. A quarter of the default made an approval with its
/// execution a sixth and the page of an action a quarter faster at 100,000 actions; a longer log gained nothing.
const SETUP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; \
     PRAGMA journal_size_limit = 16777216; PRAGMA wal_autocheckpoint = 250;";

/// The size of the thread's stack: the use cases run on it, and their futures are large in a debug build.
const STACK: usize = 8 << 20;

/// Work gets the connection and gives it back. Without it, the next work gets a new one.
type Work = Box<dyn FnOnce(Connection) -> Option<Connection> + Send>;

/// Sends work to the thread. The thread ends when the last clone is dropped, or when the writer is closed.
#[derive(Clone)]
pub(in crate::store) struct Writer {
    work: Arc<Mutex<Option<Sender<Work>>>>,
    thread: Arc<Mutex<Option<std::thread::JoinHandle<()>>>>,
}

impl Writer {
    /// Opens the connection and starts its thread.
    pub(in crate::store) fn start(url: &str) -> Result<Self, DatabaseError> {
        let first = open(url)?;
        let url = url.to_owned();
        let (work, received) = mpsc::channel::<Work>();
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let mut connection = Some(first);
                for work in received {
                    // A panic ends only the work that panics. The connection is then closed, which rolls its transaction back. The caller of
                    // the work sees that its reply was dropped.
                    let Some(taken) = connection.take().or_else(|| open(&url).ok()) else {
                        continue;
                    };
                    connection = catch_unwind(AssertUnwindSafe(|| work(taken))).ok().flatten();
                }
            })
            .map_err(DatabaseError::Thread)?;
        Ok(Self {
            work: Arc::new(Mutex::new(Some(work))),
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Queues work. Returns `false` if the writer is closed.
    pub(in crate::store) fn send(&self, work: impl FnOnce(Connection) -> Option<Connection> + Send + 'static) -> bool {
        let sender = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        sender
            .as_ref()
            .is_some_and(|sender| sender.send(Box::new(work)).is_ok())
    }

    /// Runs work on the thread and waits for its result. Each statement outside a transaction commits by itself.
    pub(in crate::store) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let (reply, result) = oneshot::channel();
        self.send(move |mut connection| {
            // Sending fails if the caller has gone away. The result is then not needed.
            drop(reply.send(work(&mut connection)));
            Some(connection)
        });
        result.await.unwrap_or(Err(DatabaseError::Closed))
    }

    /// Ends the thread after the work that is queued, and closes the connection.
    pub(in crate::store) async fn close(&self) {
        drop(self.work.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

/// A connection that may write, outside the writer's thread: for setting up the schema and for copies.
pub(in crate::store) fn open(url: &str) -> Result<Connection, DatabaseError> {
    let connection = Connection::open(url, None)?;
    connection.execute_batch(SETUP)?;
    Ok(connection)
}

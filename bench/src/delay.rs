//! A TCP server that delays what it passes to PostgreSQL and back, like a network between the service and its database.

use crate::load::now;
use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// What a round trip through the server takes longer than without it.
pub(crate) const ROUND_TRIP: Duration = Duration::from_micros(500);

/// The server. Its threads end with their connections.
pub(crate) struct Delay {
    port: u16,
    each_way: EachWay,
}

/// The time that each part waits, in microseconds. A round trip contains two of them, and the time until the server's threads run.
#[derive(Clone)]
struct EachWay(Arc<AtomicU64>);

impl EachWay {
    fn get(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

impl Delay {
    /// Starts the server in front of the cluster with this URL.
    pub(crate) fn start(url: &str) -> Result<Self> {
        let folder = folder(url)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let socket = Path::new(folder).join(".s.PGSQL.5432");
        let each_way = EachWay(Arc::new(AtomicU64::new(ROUND_TRIP.as_micros() as u64 / 2)));
        let delay = each_way.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Err(error) = connect(client, &socket, &delay) {
                    eprintln!("delay: {}: {error:#}", socket.display());
                }
            }
        });
        Ok(Self { port, each_way })
    }

    /// Shortens each direction by half of what a measured round trip took too long. Returns the delay of a direction in milliseconds.
    pub(crate) fn shorten(&self, milliseconds: f64) -> f64 {
        let each_way = (self.each_way.get().as_secs_f64() * 1e3 - milliseconds / 2.0).max(0.0);
        self.each_way
            .0
            .store((each_way * 1e3).round() as u64, Ordering::Relaxed);
        each_way
    }

    /// The URL of a database of the cluster, through this server.
    pub(crate) fn url(&self, url: &str) -> Result<String> {
        let end = format!("?host={}", folder(url)?);
        let rest = url.strip_suffix(&end).context("the folder at the end of the URL")?;
        let (user, database) = rest.rsplit_once("@localhost/").context("localhost in the URL")?;
        Ok(format!("{user}@127.0.0.1:{}/{database}", self.port))
    }
}

/// The folder of the cluster's socket.
fn folder(url: &str) -> Result<&str> {
    let (_, folder) = url.split_once("?host=").context("a cluster behind a socket")?;
    Ok(folder)
}

fn connect(client: TcpStream, socket: &Path, each_way: &EachWay) -> Result<()> {
    let server = UnixStream::connect(socket)?;
    client.set_nodelay(true)?;
    let (end_of_client, end_of_server) = (client.try_clone()?, server.try_clone()?);
    pass(client.try_clone()?, server.try_clone()?, each_way.clone(), move || {
        end_of_server.shutdown(Shutdown::Write)
    });
    pass(server, client, each_way.clone(), move || {
        end_of_client.shutdown(Shutdown::Write)
    });
    Ok(())
}

/// Passes bytes from one end to the other. Each part waits from its own arrival, so that parts do not delay each other.
fn pass(
    mut from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    each_way: EachWay,
    end: impl FnOnce() -> std::io::Result<()> + Send + 'static,
) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if sender
                .send((now() + each_way.get(), buffer[..length].to_vec()))
                .is_err()
            {
                break;
            }
        }
    });
    thread::spawn(move || {
        sleep_exactly();
        for (due, part) in receiver {
            thread::sleep(due.saturating_duration_since(now()));
            if to.write_all(&part).is_err() {
                break;
            }
        }
        let _ = end();
    });
}

/// Lets the sleeps of this thread end when they are due. By default Linux lets them last up to 50 µs longer.
fn sleep_exactly() {
    let thread = std::fs::read_link("/proc/thread-self").unwrap_or_default();
    if let Some(id) = thread.file_name() {
        let _ = std::fs::write(Path::new("/proc").join(id).join("timerslack_ns"), "1");
    }
}

#[cfg(test)]
mod tests {
    use super::{Delay, ROUND_TRIP};
    use crate::load::now;
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::os::unix::net::UnixListener;

    /// A server behind a socket that sends back what it receives.
    fn echo(folder: &std::path::Path) -> String {
        let listener = UnixListener::bind(folder.join(".s.PGSQL.5432")).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 64];
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                stream.write_all(&buffer[..length]).unwrap();
            }
        });
        format!("postgres://u:p@localhost/d?host={}", folder.display())
    }

    #[test]
    fn a_round_trip_takes_both_delays_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let url = echo(folder.path());
        let delay = Delay::start(&url).unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", delay.port)).unwrap();
        let began = now();
        client.write_all(b"ping").unwrap();
        let mut buffer = [0; 4];
        client.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"ping");
        assert!(began.elapsed() >= ROUND_TRIP);
        client.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(client.read(&mut buffer).unwrap(), 0);
    }

    #[test]
    fn a_url_leads_through_the_server() {
        let url = "postgres://u:p@localhost/d?host=/tmp/x";
        let delay = Delay::start(url).unwrap();
        let expected = format!("postgres://u:p@127.0.0.1:{}/d", delay.port);
        assert_eq!(delay.url(url).unwrap(), expected);
        assert!(delay.url("postgres://u:p@db.example/d").is_err());
    }

    #[test]
    fn what_a_round_trip_takes_too_long_is_taken_from_both_directions() {
        let delay = Delay::start("postgres://u:p@localhost/d?host=/tmp/x").unwrap();
        assert!((delay.shorten(0.2) - 0.15).abs() < 1e-9);
        assert_eq!(delay.each_way.get().as_micros(), 150);
        assert_eq!(delay.shorten(9.0), 0.0);
    }
}

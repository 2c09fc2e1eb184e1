//! Locks whose content is never read after a panic. A panic while such a lock is held ends the sandbox.

use std::{
    ops::{Deref, DerefMut},
    sync::{Mutex, MutexGuard},
    thread,
};

use tokio::sync::watch;

use crate::shutdown::Control;

/// The message of a panic on a poisoned lock.
const POISONED: &str = "the sandbox has ended: a panic interrupted a change of its state, which is incomplete and \
                      cannot be read";

/// Access to the content of a lock.
#[derive(Debug)]
pub(crate) struct Guard<'a, T> {
    inner: MutexGuard<'a, T>,
    control: &'a watch::Sender<Control>,
    /// Whether a panic was in progress already when the lock was acquired.
    unwinding: bool,
}

/// Acquires a lock.
///
/// # Panics
/// If an earlier panic has poisoned the lock. The sandbox has ended then.
pub(crate) fn lock<'a, T>(
    mutex: &'a Mutex<T>,
    control: &'a watch::Sender<Control>,
) -> Guard<'a, T> {
    let Some(guard) = lock_intact(mutex, control) else { panic!("{POISONED}") };
    guard
}

/// Acquires a lock, unless an earlier panic has poisoned it.
pub(crate) fn lock_intact<'a, T>(
    mutex: &'a Mutex<T>,
    control: &'a watch::Sender<Control>,
) -> Option<Guard<'a, T>> {
    let inner = mutex.lock().ok()?;
    Some(Guard { inner, control, unwinding: thread::panicking() })
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        if thread::panicking() && !self.unwinding {
            self.control.send_modify(|control| {
                control.broken = true;
                control.stop = true;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{Ipv4Addr, SocketAddr},
        panic::{AssertUnwindSafe, catch_unwind},
        path::PathBuf,
        sync::Arc,
        time::Duration,
    };

    use bitmart_sim::{Exchange, Setup};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        time::timeout,
    };

    use crate::{Config, Sandbox, journal::Change};

    const DEADLINE: Duration = Duration::from_secs(20);
    const REQUEST: &[u8] = b"GET /system/time HTTP/1.1\r\nhost: localhost\r\n\r\n";

    async fn start(folder: Option<&PathBuf>) -> Sandbox {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = Config::new().pairs([]).contracts([]).market_maker(false).admin(free);
        let config = folder.iter().fold(config, Config::data);
        Sandbox::start(config).await.expect("starts")
    }

    /// All bytes that a client receives until its connection ends.
    async fn received(mut stream: TcpStream) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A reset is as good as a close.
        let _ = timeout(DEADLINE, stream.read_to_end(&mut bytes)).await.expect("it ends");
        bytes
    }

    async fn assert_panic_ends_the_sandbox(folder: Option<&PathBuf>) {
        let sandbox = start(folder).await;
        let account = sandbox.create_account().expect("stored");
        let urls = [&sandbox.spot().rest, &sandbox.futures().rest, sandbox.admin().expect("one")];
        let hosts = urls.map(|url| url.trim_start_matches("http://").to_owned());
        let mut open = Vec::new();
        for host in &hosts {
            open.push(TcpStream::connect(host).await.expect("connects"));
        }
        let shared = Arc::clone(&sandbox.shared);
        let broken = tokio::task::spawn_blocking(move || {
            shared.state().execute(Change::Step, |exchange, now_ms| {
                *exchange = Exchange::new(&Setup::new().pairs([]).contracts([]), now_ms);
                panic!("on purpose")
            });
        });
        assert!(broken.await.is_err() && sandbox.is_broken());
        timeout(DEADLINE, sandbox.stop_requested()).await.expect("a requested stop");
        for mut stream in open {
            // The server may have closed the connection already.
            let _ = stream.write_all(REQUEST).await;
            assert_eq!(received(stream).await, b"", "a response from an incomplete state");
        }
        for host in &hosts {
            let Ok(mut stream) = TcpStream::connect(host).await else { continue };
            let _ = stream.write_all(REQUEST).await;
            assert_eq!(received(stream).await, b"", "a response from an incomplete state");
        }
        assert!(catch_unwind(AssertUnwindSafe(|| sandbox.balances())).is_err());
        let created = catch_unwind(AssertUnwindSafe(|| sandbox.create_account()));
        assert!(!matches!(created, Ok(Ok(_))));
        timeout(DEADLINE, sandbox.shutdown()).await.expect("it ends");
        if let Some(folder) = folder {
            let again = start(Some(folder)).await;
            assert_eq!(
                again.create_account().expect("stored"),
                account + 1,
                "the acknowledged account exists"
            );
            again.shutdown().await;
        }
    }

    #[tokio::test]
    async fn a_panic_under_the_lock_ends_the_sandbox() {
        assert_panic_ends_the_sandbox(None).await;
    }

    #[tokio::test]
    async fn a_panic_under_the_lock_ends_the_sandbox_and_leaves_its_folder_intact() {
        let folder = std::env::temp_dir().join(format!("bitmart-guard-{}", std::process::id()));
        assert_panic_ends_the_sandbox(Some(&folder)).await;
        std::fs::remove_dir_all(&folder).expect("the folder exists");
    }
}

//! Locks that show nobody what was left half done: a panic while one is held ends the sandbox.

use std::{
    ops::{Deref, DerefMut},
    sync::{Mutex, MutexGuard},
    thread,
};

use tokio::sync::watch;

use crate::shared::Control;

/// What whoever comes too late panics with.
const BROKEN: &str = "the sandbox has ended: it broke off in the middle of something, and what that left half \
                      done is shown to nobody";

/// What a lock guards, as long as it is held.
#[derive(Debug)]
pub(crate) struct Guard<'a, T> {
    inner: MutexGuard<'a, T>,
    control: &'a watch::Sender<Control>,
    /// Another panic was under way already when the lock was taken.
    unwinding: bool,
}

/// Takes a lock.
///
/// # Panics
/// When a panic broke off what somebody did with it. The sandbox is at its end then.
pub(crate) fn lock<'a, T>(
    mutex: &'a Mutex<T>,
    control: &'a watch::Sender<Control>,
) -> Guard<'a, T> {
    let Ok(inner) = mutex.lock() else { panic!("{BROKEN}") };
    Guard { inner, control, unwinding: thread::panicking() }
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

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        time::timeout,
    };

    use crate::{Config, Sandbox, journal::Entry};

    const DEADLINE: Duration = Duration::from_secs(20);
    const REQUEST: &[u8] = b"GET /system/time HTTP/1.1\r\nhost: localhost\r\n\r\n";

    async fn start(folder: Option<&PathBuf>) -> Sandbox {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = Config::new().pairs([]).contracts([]).market_maker(false).admin(free);
        let config = folder.iter().fold(config, Config::data);
        Sandbox::start(config).await.expect("starts")
    }

    /// What comes to a client, in time.
    async fn heard(mut stream: TcpStream) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A reset ends it as well.
        let _ = timeout(DEADLINE, stream.read_to_end(&mut bytes)).await.expect("it ends");
        bytes
    }

    async fn breaks_off_and_tells_nobody(folder: Option<&PathBuf>) {
        let sandbox = start(folder).await;
        let account = sandbox.create_account();
        let urls = [&sandbox.spot().rest, &sandbox.futures().rest, sandbox.admin().expect("one")];
        let hosts = urls.map(|url| url.trim_start_matches("http://").to_owned());
        let mut open = Vec::new();
        for host in &hosts {
            open.push(TcpStream::connect(host).await.expect("connects"));
        }
        let shared = Arc::clone(&sandbox.shared);
        let broken = tokio::task::spawn_blocking(move || {
            shared.state().enter(Entry::Step, |exchange, _| {
                exchange.accounts.clear();
                panic!("on purpose")
            });
        });
        assert!(broken.await.is_err() && sandbox.is_broken());
        timeout(DEADLINE, sandbox.stop_requested()).await.expect("it asks for its end");
        for mut stream in open {
            // It may be closed already.
            let _ = stream.write_all(REQUEST).await;
            assert_eq!(heard(stream).await, b"", "an answer out of half a state");
        }
        for host in &hosts {
            let Ok(mut stream) = TcpStream::connect(host).await else { continue };
            let _ = stream.write_all(REQUEST).await;
            assert_eq!(heard(stream).await, b"", "an answer out of half a state");
        }
        assert!(catch_unwind(AssertUnwindSafe(|| sandbox.balances())).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| sandbox.create_account())).is_err());
        timeout(DEADLINE, sandbox.shutdown()).await.expect("it ends");
        if let Some(folder) = folder {
            let again = start(Some(folder)).await;
            assert_eq!(again.create_account(), account + 1, "what was told before is there");
            again.shutdown().await;
        }
    }

    #[tokio::test]
    async fn a_panic_under_the_lock_ends_the_sandbox() {
        breaks_off_and_tells_nobody(None).await;
    }

    #[tokio::test]
    async fn a_panic_under_the_lock_ends_the_sandbox_and_leaves_its_folder_whole() {
        let folder = std::env::temp_dir().join(format!("bitmart-guard-{}", std::process::id()));
        breaks_off_and_tells_nobody(Some(&folder)).await;
        std::fs::remove_dir_all(&folder).expect("is there");
    }
}

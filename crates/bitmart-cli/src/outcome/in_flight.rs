//! A request that is on its way while somebody wants the program to end.

use crate::interrupts::Interrupts;

/// Waits for `request`. The first signal only says that it waits on; the second one gives the request up,
/// which is `None`: whether it took effect is then not known.
///
/// `interrupts` must listen since before the request, so that no signal ends the program in between.
pub(crate) async fn wait<T>(
    interrupts: &mut Interrupts,
    what: &str,
    request: impl Future<Output = T>,
) -> Option<T> {
    tokio::pin!(request);
    tokio::select! {
        // First, so that a signal from before does not keep it from being sent and counted.
        biased;
        done = &mut request => return Some(done),
        () = interrupts.recv() => {}
    }
    eprintln!(
        "{what}: the request is on its way; waiting for the response. Interrupt again to stop waiting."
    );
    tokio::select! {
        biased;
        done = &mut request => Some(done),
        () = interrupts.recv() => None,
    }
}

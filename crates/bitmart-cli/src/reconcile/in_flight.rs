//! Signals while a request with an effect is in flight.

use crate::interrupts::Interrupts;
use crate::output;

/// Waits for `request`. The first signal prints a message; the second one abandons the request and returns
/// `None`: its outcome is then unknown.
///
/// `interrupts` must listen before the request is sent, so that no signal ends the program in between.
pub(crate) async fn wait<T>(
    interrupts: &mut Interrupts,
    what: &str,
    request: impl Future<Output = T>,
) -> Option<T> {
    tokio::pin!(request);
    tokio::select! {
        // An earlier signal must not keep the request from being sent.
        biased;
        done = &mut request => return Some(done),
        () = interrupts.recv() => {}
    }
    output::note(format_args!(
        "{what}: the request was sent; waiting for the response. Interrupt again to stop waiting."
    ));
    tokio::select! {
        biased;
        done = &mut request => Some(done),
        () = interrupts.recv() => None,
    }
}

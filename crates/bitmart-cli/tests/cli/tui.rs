//! `tui` at a pseudo-terminal.

use crate::common::sandbox;
use crate::common::terminal::Session;

/// Leaves the alternate screen.
const LEAVE_SCREEN: &str = "\u{1b}[?1049l";

#[test]
fn shows_live_data_and_restores_the_terminal() {
    let place = sandbox();
    let mut session = Session::start_sized(&place, 24, 80, &["tui", "BTC_USDT"]);
    for wanted in ["SANDBOX", "BTC_USDT", "candles of 1 min", "spread", "connected", "USDT"] {
        session.wait_for_screen(wanted);
    }
    // Another candle length. Only the changed part of the title is written.
    session.press("\t\t\t");
    session.wait_for_screen("h ─");
    session.press("q");
    session.wait_for_screen(LEAVE_SCREEN);
    assert_eq!(session.end(), 0);
}

#[test]
fn an_unknown_market_is_an_error() {
    let place = sandbox();
    let mut session = Session::start_sized(&place, 24, 80, &["tui", "NO_SUCH"]);
    session.wait_for_screen("error: ");
    assert_eq!(session.wait(), 4);
    assert!(!session.shown().contains("\u{1b}[?1049h"), "the screen was entered");
}

use super::*;
use crate::{config::Config, generated::Host, ws::topic};

fn feed() -> Feed {
    Feed::new(&Exchange::new(&Config::new().market_maker(false).setup(), 0), 1)
}

#[test]
fn a_socket_is_lonely_from_its_last_unsubscription_on() {
    let mut feed = feed();
    let (sender, _queue) = mpsc::channel(1);
    let id = feed.join(sender);
    let joined = feed.lonely_since(id).expect("nothing is subscribed");
    let topic = topic::parse(Host::Spot, "spot/trade:BTC_USDT").expect("a topic");
    feed.subscribe(id, &topic);
    assert_eq!(feed.lonely_since(id), None);
    let before = Instant::now();
    feed.unsubscribe(id, &topic);
    let since = feed.lonely_since(id).expect("nothing is subscribed");
    assert!(since >= before && since >= joined);
    feed.log_in(id, AccountId(1));
    assert_eq!(feed.lonely_since(id), None);
}

//! Names of topics, and which frames and events belong to them. The name of a frame is the value of its `"table"` or
//! `"group"`.

use super::{
    DepthLevels, DepthSpeed, FuturesInterval, SpotInterval, Topic, futures, may_arrive_in, spot,
    takes_event,
};
use crate::{dialect::Market, event::RawEvent};

#[test]
fn functions_return_the_documented_names() {
    let names = [
        (spot::ticker("BTC_USDT").to_string(), "spot/ticker:BTC_USDT"),
        (spot::trades("BTC_USDT").to_string(), "spot/trade:BTC_USDT"),
        (spot::depth_updates("BTC_USDT").to_string(), "spot/depth/increase100:BTC_USDT"),
        (spot::klines("BTC_USDT", SpotInterval::Minutes3).to_string(), "spot/kline3m:BTC_USDT"),
        (spot::klines("BTC_USDT", SpotInterval::Months1).to_string(), "spot/kline1M:BTC_USDT"),
        (spot::depth("BTC_USDT", DepthLevels::Five).to_string(), "spot/depth5:BTC_USDT"),
        (spot::book_ticker("BTC_USDT").to_string(), "spot/bookTicker:BTC_USDT"),
        (spot::user_balances().to_string(), "spot/user/balance:BALANCE_UPDATE"),
        (futures::funding_rate("BTCUSDT").to_string(), "futures/fundingRate:BTCUSDT"),
        (
            futures::side_depth("BTCUSDT", DepthLevels::Twenty, DepthSpeed::Ms200).to_string(),
            "futures/depth20:BTCUSDT@200ms",
        ),
        (
            futures::depth("BTCUSDT", DepthLevels::Fifty, DepthSpeed::Standard).to_string(),
            "futures/depthAll50:BTCUSDT",
        ),
        (futures::book_ticker("BTCUSDT").to_string(), "futures/bookticker:BTCUSDT"),
        (futures::trades("BTCUSDT").to_string(), "futures/trade:BTCUSDT"),
        (
            futures::klines("BTCUSDT", FuturesInterval::Weeks1).to_string(),
            "futures/klineBin1W:BTCUSDT",
        ),
        (
            futures::mark_price_klines("BTCUSDT", FuturesInterval::Minutes1).to_string(),
            "futures/markPriceKlineBin1m:BTCUSDT",
        ),
        (futures::user_balances("USDT").to_string(), "futures/asset:USDT"),
        (futures::user_positions().to_string(), "futures/position"),
        (spot::user_orders("BTC_USDT").to_string(), "spot/user/order:BTC_USDT"),
        (spot::all_user_orders().to_string(), "spot/user/orders:ALL_SYMBOLS"),
        (futures::ticker("BTCUSDT").to_string(), "futures/ticker:BTCUSDT"),
        (futures::all_tickers().to_string(), "futures/ticker"),
        (futures::user_orders().to_string(), "futures/order"),
        (
            futures::depth_updates("BTCUSDT", DepthLevels::Fifty, DepthSpeed::Standard).to_string(),
            "futures/depthIncrease50:BTCUSDT",
        ),
        (
            futures::depth_updates("BTCUSDT", DepthLevels::Five, DepthSpeed::Ms100).to_string(),
            "futures/depthIncrease5:BTCUSDT@100ms",
        ),
    ];
    for (name, documented) in names {
        assert_eq!(name, documented);
    }
}

#[test]
fn only_user_topics_are_private() {
    assert!(spot::user_orders("BTC_USDT").is_private());
    assert!(spot::all_user_orders().is_private());
    assert!(spot::user_balances().is_private());
    assert!(futures::user_orders().is_private());
    assert!(futures::user_positions().is_private());
    assert!(futures::user_balances("USDT").is_private());
    assert!(!spot::depth_updates("BTC_USDT").is_private());
    assert!(!futures::all_tickers().is_private());
    let raw: Topic<RawEvent> = Topic::private(Market::Futures, "futures/position");
    assert!(raw.is_private());
    assert_eq!(raw.market(), Market::Futures);
}

#[test]
fn requests_are_supported_by_depth_updates_and_funding_rates_only() {
    assert!(futures::funding_rate("BTCUSDT").supports_request());
    let speed = DepthSpeed::Ms200;
    assert!(!futures::side_depth("BTCUSDT", DepthLevels::Twenty, speed).supports_request());
    assert!(!futures::depth("BTCUSDT", DepthLevels::Twenty, speed).supports_request());
    assert!(spot::depth_updates("BTC_USDT").supports_request());
    assert!(
        futures::depth_updates("BTCUSDT", DepthLevels::Twenty, DepthSpeed::Ms200)
            .supports_request()
    );
    assert!(!spot::ticker("BTC_USDT").supports_request());
    assert!(!futures::user_orders().supports_request());
}

#[test]
fn symbol_is_none_for_topics_of_several_symbols() {
    assert_eq!(spot::trades("BTC_USDT").symbol(), Some("BTC_USDT"));
    assert_eq!(spot::all_user_orders().symbol(), None);
    assert_eq!(spot::user_balances().symbol(), None);
    assert_eq!(futures::all_tickers().symbol(), None);
    assert_eq!(futures::user_balances("USDT").symbol(), Some("USDT"));
    let book = futures::depth_updates("BTCUSDT", DepthLevels::Five, DepthSpeed::Ms100);
    assert_eq!(book.symbol(), Some("BTCUSDT"));
    assert_eq!(book.channel(), "futures/depthIncrease5");
}

#[test]
fn topics_and_frames_are_matched_by_channel_and_symbol_but_not_by_speed() {
    let table = [
        // topic, name of the frame, whether the topic's events may arrive in it
        ("spot/ticker:BTC_USDT", "spot/ticker", true),
        ("spot/ticker:BTC_USDT", "spot/ticker:BTC_USDT", true),
        ("spot/ticker:BTC_USDT", "spot/ticker:ETH_USDT", false),
        ("spot/ticker:BTC_USDT", "spot/trade", false),
        ("spot/user/orders:ALL_SYMBOLS", "spot/user/orders", true),
        ("spot/user/orders:ALL_SYMBOLS", "spot/user/order", true),
        ("spot/user/orders:ALL_SYMBOLS", "spot/user/order:BTC_USDT", true),
        ("spot/user/order:BTC_USDT", "spot/user/orders", false),
        ("futures/ticker", "futures/ticker", true),
        ("futures/ticker", "futures/ticker:BTCUSDT", false),
        ("futures/ticker:BTCUSDT", "futures/ticker", false),
        ("futures/depthIncrease5:BTCUSDT", "futures/depthIncrease5:BTCUSDT@100ms", true),
        ("futures/depthIncrease5:BTCUSDT", "futures/depthIncrease50:BTCUSDT", false),
        ("futures/depthIncrease5:BTCUSDT", "futures/depthIncrease5:BTCUSDTM", false),
        ("futures/order", "futures/order", true),
        ("spot/user/balance:BALANCE_UPDATE", "spot/user/balance", true),
        ("spot/user/balance:BALANCE_UPDATE", "spot/user/balance:BALANCE_UPDATE", true),
        ("spot/depth5:BTC_USDT", "spot/depth5", true),
        ("spot/depth5:BTC_USDT", "spot/depth50", false),
        ("spot/kline1m:BTC_USDT", "spot/kline1M", false),
        ("futures/depth5:BTCUSDT", "futures/depth5:BTCUSDT@100ms", true),
        ("futures/depth5:BTCUSDT@200ms", "futures/depth5:BTCUSDT", true),
        ("futures/depth5:BTCUSDT", "futures/depthAll5:BTCUSDT", false),
        ("futures/depthAll5:BTCUSDT", "futures/depthAll5:BTCUSDT@200ms", true),
        ("futures/bookticker:BTCUSDT", "futures/bookticker:BTCUSDT@100ms", true),
        ("futures/klineBin1m:BTCUSDT", "futures/markPriceKlineBin1m:BTCUSDT", false),
        ("futures/asset:USDT", "futures/asset:BTC", false),
        ("futures/position", "futures/position", true),
    ];
    for (topic, frame_name, expected) in table {
        assert_eq!(may_arrive_in(topic, frame_name), expected, "{topic} in a frame {frame_name}");
    }
}

#[test]
fn the_topic_of_all_pairs_takes_its_own_frames_and_from_those_of_pairs_what_has_no_own_topic() {
    const PAIR: &str = "spot/user/order:BTC_USDT";
    const ALL: &str = "spot/user/orders:ALL_SYMBOLS";
    let table = [
        // topic, name of the frame, symbol of the event, whether PAIR is subscribed, whether the topic takes the event
        (PAIR, "spot/user/order", "BTC_USDT", true, true),
        (PAIR, "spot/user/order", "ETH_USDT", true, false),
        (PAIR, "spot/user/orders", "BTC_USDT", true, false),
        (ALL, "spot/user/orders", "BTC_USDT", true, true),
        (ALL, "spot/user/order", "BTC_USDT", true, false),
        (ALL, "spot/user/order", "BTC_USDT", false, true),
        (ALL, "spot/user/order", "ETH_USDT", true, true),
        (ALL, "spot/user/order:BTC_USDT", "BTC_USDT", true, false),
    ];
    for (topic, frame_name, symbol, pair_is_subscribed, expected) in table {
        let subscribed = |name: &str| pair_is_subscribed && name == PAIR;
        assert_eq!(
            takes_event(topic, frame_name, Some(symbol), subscribed),
            expected,
            "{topic} in a frame {frame_name} about {symbol}"
        );
    }
    assert!(
        takes_event(PAIR, "spot/user/order", None, |_| true),
        "an event without a symbol concerns all"
    );
}

#[test]
fn symbols_match_in_any_case() {
    for (topic, frame_name, symbol) in [
        ("spot/ticker:BTC_USDT", "spot/ticker", Some("btc_usdt")),
        ("futures/ticker:BTCUSDT", "futures/ticker:btcusdt", None),
    ] {
        assert!(takes_event(topic, frame_name, symbol, |_| false), "{topic}");
    }
    let subscribed = |topic: &str| topic == "spot/user/order:BTC_USDT";
    let all = "spot/user/orders:ALL_SYMBOLS";
    assert!(
        !takes_event(all, "spot/user/order", Some("btc_usdt"), subscribed),
        "has its own topic"
    );
}

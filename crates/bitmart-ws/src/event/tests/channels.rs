//! Decodes the published frame of each channel, and variants that no sample contains.

use bitmart_types::futures::{MarginType, PositionMode, PositionSide};
use bitmart_types::{Currency, Side, Symbol, Timestamp, TradeId, dec};
use serde_json::{Value, json};

use super::{decode, one, sample};
use crate::Market;
use crate::catalog;
use crate::event::{DecodeErrorKind, Event, Level};
use crate::{futures, spot};

macro_rules! published {
    ($name:literal) => {
        sample(include_str!(concat!("../../../fixtures/", $name, ".json")))
    };
}

fn millis(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

#[test]
fn decodes_spot_candles() {
    let kline: spot::Kline = one(&published!("spot-kline/sample"));
    assert_eq!(kline.symbol(), Some("BTC_USDT"));
    assert_eq!(kline.timestamp, millis(1_709_025_360_000));
    assert_eq!((kline.open, kline.high), (dec!(162.01), dec!(162.02)));
    assert_eq!((kline.low, kline.close), (dec!(162.03), dec!(162.04)));
    assert_eq!(kline.base_volume, Some(dec!(336.452694)));
    let mut short = published!("spot-kline/sample");
    short["data"][0]["candle"].as_array_mut().expect("a row").pop();
    assert_eq!(one::<spot::Kline>(&short).base_volume, None);
    short["data"][0]["candle"].as_array_mut().expect("a row").pop();
    let error = spot::Kline::decode(&short.to_string(), &mut Vec::new()).expect_err("a short row");
    assert_eq!(error.path(), "data[0].candle");
}

#[test]
fn decodes_complete_spot_books() {
    let frame = published!("spot-depth/sample");
    let book: spot::Depth = one(&frame);
    assert_eq!(book.symbol(), Some("ETH_USDT"));
    assert_eq!(book.asks, [Level { price: dec!(161.96), size: dec!(7.37567) }]);
    assert_eq!(book.bids, [Level { price: dec!(161.94), size: dec!(4.552355) }]);
    assert_eq!(book.timestamp, Some(millis(1_542_337_219_120)));
    let mut two = frame.clone();
    let entry = two["data"][0].clone();
    two["data"].as_array_mut().expect("entries").push(entry);
    assert_eq!(decode::<spot::Depth>(&two), [book.clone(), book]);
}

#[test]
fn decodes_spot_book_tickers_without_any_member() {
    let entry = json!({
        "symbol": "BTC_USDT", "bid_px": "1", "bid_sz": "2", "ask_px": "3", "ask_sz": "4",
        "ts": "1774427800000",
    });
    let frame = |data: Value| json!({ "table": "spot/bookTicker", "data": data });
    let ticker: spot::BookTicker = one(&frame(json!([entry])));
    assert_eq!(ticker.symbol(), Some("BTC_USDT"));
    assert_eq!((ticker.bid_price, ticker.ask_size), (Some(dec!(1)), Some(dec!(4))));
    assert_eq!(ticker.timestamp.as_deref(), Some("1774427800000"));
    assert_eq!(one::<spot::BookTicker>(&frame(entry.clone())), ticker, "one entry, no array");
    assert_eq!(one::<spot::BookTicker>(&frame(json!({}))), spot::BookTicker::default());
    for field in ["symbol", "bid_px", "bid_sz", "ask_px", "ask_sz", "ts"] {
        let mut less = entry.clone();
        less.as_object_mut().expect("an object").remove(field);
        let less: spot::BookTicker = one(&frame(json!([less])));
        assert_eq!(less.symbol.as_ref().map(Symbol::as_str).is_none(), field == "symbol");
        assert_ne!(less, ticker, "{field}");
    }
}

#[test]
fn decodes_spot_balances() {
    let frame = published!("spot-user-balance/sample");
    let update: spot::BalanceUpdate = one(&frame);
    assert_eq!((update.symbol(), update.account_type.as_ref()), (None, None));
    assert_eq!(update.reason, Some(spot::BalanceReason::Trade), "the sample ends in two blanks");
    assert_eq!(update.timestamp, Some(millis(1_693_364_237_000)));
    let balance = &update.balances[0];
    assert_eq!(balance.currency.as_str(), "BTC");
    assert_eq!((balance.available, balance.frozen), (Some(dec!(123.22)), Some(dec!(12.56))));
    let mut other = frame.clone();
    other["data"][0]["account_type"] = json!("COPPER");
    other["data"][0]["event_type"] = json!("AIRDROP");
    let other: spot::BalanceUpdate = one(&other);
    assert_eq!(other.account_type, Some(spot::BalanceAccount::Copper));
    assert_eq!(other.reason.as_ref().map(spot::BalanceReason::as_str), Some("AIRDROP"));
}

#[test]
fn decodes_funding_rates() {
    let frame = published!("futures-funding-rate/sample");
    let rate: futures::FundingRate = one(&frame);
    assert_eq!(
        (rate.rate, rate.expected_rate),
        (Some(dec!(0.000098800809)), Some(dec!(0.0000947)))
    );
    assert_eq!(rate.next_funding_time, Some(millis(1_732_550_400_000)));
    assert_eq!((rate.upper_limit, rate.lower_limit), (Some(dec!(0.0375)), Some(dec!(-0.0375))));
    assert!(rate.funding_time < rate.timestamp, "not the next funding");
    let mut fresh = frame.clone();
    fresh["data"]["nextFundingRate"] = json!("");
    fresh["data"]["nextFundingTime"] = json!(0);
    let fresh: futures::FundingRate = one(&fresh);
    assert_eq!((fresh.expected_rate, fresh.next_funding_time), (None, None));
}

#[test]
fn decodes_futures_books_of_one_side_and_of_both() {
    let side: futures::SideDepth = one(&published!("futures-depth/sample"));
    assert_eq!(
        (side.side, side.timestamp),
        (futures::DepthSide::Bids, Some(millis(1_542_337_219_120)))
    );
    assert_eq!(side.levels, [Level { price: dec!(5), size: dec!(97) }]);
    let side: futures::SideDepth = one(&published!("futures-depth/format-page"));
    assert_eq!((side.side, side.timestamp), (futures::DepthSide::Asks, None));
    assert_eq!(side.levels[1], Level { price: dec!(30107.8), size: dec!(1587) });
    let both: futures::Depth = one(&published!("futures-depth-all/sample"));
    assert_eq!(both.symbol(), Some("BTCUSDT"));
    assert_eq!(both.asks, [Level { price: dec!(70294.4), size: dec!(455) }]);
    assert_eq!(both.bids, [Level { price: dec!(70293.9), size: dec!(1856) }]);
}

#[test]
fn decodes_futures_book_tickers() {
    let ticker: futures::BookTicker = one(&published!("futures-bookticker/sample"));
    assert_eq!((ticker.bid_price, ticker.bid_size), (Some(dec!(97315)), Some(dec!(156))));
    assert_eq!((ticker.ask_price, ticker.ask_size), (Some(dec!(97315.4)), Some(dec!(333))));
    assert_eq!(ticker.timestamp, Some(millis(1_733_891_542_244)));
}

#[test]
fn keeps_futures_trades_in_the_order_of_the_frame() {
    let frame = published!("futures-trade/sample");
    let trade: futures::Trade = one(&frame);
    assert_eq!(trade.trade_id.as_ref().map(TradeId::as_str), Some("1409495322"));
    assert_eq!((trade.price, trade.size), (dec!(117387.58), dec!(1445)));
    assert_eq!((trade.is_buyer_maker, trade.taker_side()), (Some(true), Some(Side::Sell)));
    assert_eq!(trade.timestamp, Some(millis(1_677_225_251_124)));
    assert_eq!(trade.way, None);
    let mut two = frame.clone();
    let mut older = frame["data"][0].clone();
    older["trade_id"] = json!(1_409_495_321_i64);
    older["m"] = json!(false);
    older["created_at"] = json!(1_677_225_251_000_i64);
    older["way"] = json!(8);
    two["data"].as_array_mut().expect("entries").push(older);
    let trades: Vec<futures::Trade> = decode(&two);
    assert_eq!(trades[0], trade);
    assert_eq!(trades[1].trade_id.as_ref().map(TradeId::as_str), Some("1409495321"));
    assert_eq!(trades[1].taker_side(), Some(Side::Buy));
    let documented = Some(millis(1_677_225_251_000));
    assert_eq!(trades[1].timestamp, documented, "the table documents milliseconds");
    assert_eq!(trades[1].way, Some(futures::TradeWay::SellCloseBuyClose));
}

#[test]
fn decodes_futures_candles_in_both_forms() {
    let flat = published!("futures-kline/sample");
    let kline: futures::Kline = one(&flat);
    assert_eq!((kline.symbol(), kline.open), (Some("BTCUSDT"), dec!(146.24)));
    assert_eq!((kline.volume, kline.timestamp), (Some(dec!(146)), millis(1_700_533_801_000)));
    assert_eq!(one::<futures::Kline>(&published!("futures-mark-price-kline/sample")), kline);

    let mut listed = flat.clone();
    let mut candle = listed["data"].take();
    let symbol = candle.as_object_mut().expect("an object").remove("symbol");
    let mut next = candle.clone();
    next["ts"] = json!(1_700_533_861);
    listed["data"] = json!({ "symbol": symbol, "items": [candle, next] });
    let klines: Vec<futures::Kline> = decode(&listed);
    assert_eq!((klines.len(), &klines[0]), (2, &kline));
    assert_eq!(klines[1].timestamp, millis(1_700_533_861_000));
    for frame in [flat.clone(), listed] {
        let again = catalog::recode(Market::Futures, &frame.to_string()).expect("decodes");
        let again: Value =
            serde_json::from_str(&again.expect("a described channel").text).expect("JSON");
        assert_eq!(again, frame, "the form is kept");
    }

    let mut broken = flat;
    broken["data"].as_object_mut().expect("an object").remove("c");
    let error = futures::Kline::decode(&broken.to_string(), &mut Vec::new()).expect_err("no close");
    assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Shape, "data"));
}

#[test]
fn futures_balances_have_their_currency_as_symbol() {
    let balance: futures::Balance = one(&published!("futures-asset/sample"));
    assert_eq!((balance.symbol(), balance.currency.clone()), (Some("BTC"), Currency::from("BTC")));
    assert_eq!((balance.available, balance.position_deposit), (Some(dec!(1000)), Some(dec!(1000))));
    assert_eq!(balance.frozen, Some(dec!(1000)));
}

#[test]
fn decodes_futures_positions() {
    let frame = published!("futures-position/sample");
    let position: futures::Position = one(&frame);
    assert_eq!((position.symbol(), position.size), (Some("BTCUSDT"), dec!(2000)));
    assert_eq!(position.position_side, Some(PositionSide::Long));
    assert_eq!(position.margin_type, Some(MarginType::Isolated), "1 on the wire");
    assert_eq!(position.position_mode, Some(PositionMode::Hedge));
    assert_eq!(position.entry_price, Some(dec!(19406.2092)));
    assert_eq!(position.close_average_price, Some(dec!(0)));
    assert_eq!(position.liquidation_price, Some(dec!(15621.998406)));
    assert_eq!(position.open_time, Some(millis(1_662_692_862_255)));
    let mut flat = frame.clone();
    flat["data"][0]["open_type"] = json!(2);
    flat["data"][0]["liquidate_price"] = json!("-");
    let flat: futures::Position = one(&flat);
    assert_eq!((flat.margin_type, flat.liquidation_price), (Some(MarginType::Cross), None));
}

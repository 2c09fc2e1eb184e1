"""Calls almost everything of BitMart's own Python SDK, against a sandbox: nothing of the SDK is changed but its
addresses and keys. Run by `cargo xtask foreign`, which puts the ready line of the sandbox program into
BITMART_SANDBOX. Prints a line per step, then the counts; the exit code is 1 when a step failed."""

import json
import os
import sys
import threading
import time
import traceback
import urllib.request
from decimal import Decimal

from bitmart.api_account import APIAccount
from bitmart.api_broker import APIBroker
from bitmart.api_contract import APIContract
from bitmart.api_contract_sub_account import APIContractSubAccount
from bitmart.api_finance import APIFinance
from bitmart.api_margin_loan import APIMarginLoan
from bitmart.api_spot import APISpot
from bitmart.api_spot_sub_account import APISpotSubAccount
from bitmart.api_system import APISystem
from bitmart.lib import cloud_consts
from bitmart.lib.cloud_exceptions import APIException
from bitmart.websocket.futures_socket_client import FuturesSocketClient
from bitmart.websocket.spot_socket_client import SpotSocketClient

READY = json.loads(os.environ["BITMART_SANDBOX"])
KEY, SECRET, MEMO = (READY["credentials"][name] for name in ("key", "secret", "memo"))
# Longest wait for anything, in seconds.
PATIENCE = 15
PAIR, CONTRACT = "BTC_USDT", "BTCUSDT"

tally = {"ok": 0, "FAIL": 0}
# How the sandbox marks the latest response: the header X-Sandbox-Response, or None.
origin = None


def client(kind, host, key=KEY, secret=SECRET):
    """A client of the SDK that records how the sandbox marks its responses."""

    def record_origin(response, *_args, **_kwargs):
        global origin
        origin = response.headers.get("X-Sandbox-Response")

    keys = () if kind is APISystem else (key, secret, MEMO)
    sdk_client = kind(*keys, url=READY[host]["rest"])
    sdk_client.session.hooks["response"].append(record_origin)
    return sdk_client


def report(word, name, more=""):
    tally[word] += 1
    print(f"{word:<6} {name}{': ' if more else ''}{more}", flush=True)


def shortened(value):
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) < 300 else text[:300] + "…"


def has_field(data, path):
    """Whether a field such as `orders[].id` is present, in every row of each list."""
    name, _, rest = path.partition(".")
    rows = name.endswith("[]")
    name = name.removesuffix("[]")
    if name:
        if not isinstance(data, dict) or name not in data:
            return False
        data = data[name]
    if rows:
        return isinstance(data, list) and (not rest or (bool(data) and all(has_field(row, rest) for row in data)))
    return not rest or has_field(data, rest)


def step(name, call, fields="", check=lambda data: True, marked=False):
    """One call: code 1000, these fields, this check of data that the exchange computed, and the mark of a response that
    no source describes, if it is one."""
    global origin
    origin = None
    body = None
    try:
        body = call()[0]
        data = body["data"]
        assert body["code"] == 1000, f"code {body['code']}"
        missing = [path for path in fields.split() if not has_field(data, path)]
        assert not missing, f"without {missing}"
        assert marked == bool(origin), f"marked {origin}"
        assert check(data), "not as expected"
    except Exception as error:  # whatever goes wrong is the result of the step
        report("FAIL", name, f"{type(error).__name__} {shortened(str(error))} in {shortened(body)}")
        return None
    report("ok", name)
    return data


def invented(name, call):
    """One call whose response no source describes: code 1000, and the header that marks it."""
    return step(name, call, marked=True)


# The time at which a further call that cancels all orders is allowed.
free_at = 0


def cancel_all(*filters):
    """Cancels all, not before the limit of one such call in a window allows it."""

    def wait_and_call():
        global free_at
        time.sleep(max(0, free_at - time.monotonic()))
        body, limit = spot.post_cancel_all_order(*filters)
        free_at = time.monotonic() + float(limit["Reset"])
        return body, limit

    return wait_and_call


def operate(call, **body):
    """One request to the admin API of the sandbox."""
    request = urllib.request.Request(f"{READY['admin']}/{call}", json.dumps(body).encode(), method="POST")
    request.add_header("Authorization", f"Bearer {READY['admin_token']}")
    urllib.request.urlopen(request, timeout=PATIENCE).close()


def rejected(name, status, code, call):
    """One call that must be rejected with this status and code."""
    try:
        response = call()[0]["code"], 200
    except APIException as error:
        response = json.loads(error.response)["code"], error.status_code
    report("ok" if response == (code, status) else "FAIL", name, f"code {response[0]}, HTTP {response[1]}")


def until(name, condition, pause=0.02):
    """A step that passes as soon as the condition holds, which has PATIENCE seconds."""
    end, why = time.monotonic() + PATIENCE, ""
    while time.monotonic() < end:
        try:
            if condition():
                report("ok", name)
                return
        except Exception as error:  # it may yet hold
            why = f", {type(error).__name__} {shortened(str(error))}"
        time.sleep(pause)
    report("FAIL", name, f"not within {PATIENCE} s{why}")


class Socket:
    """A socket of the SDK and its received messages."""

    def __init__(self, kind, url):
        self.received, self.opcodes = [], set()
        self.client = kind(url, on_message=self.received.append, api_key=KEY, api_secret_key=SECRET, api_memo=MEMO)
        handle = self.client.socket_manager._handle_data

        def record_opcode(opcode, frame):
            self.opcodes.add(opcode)
            handle(opcode, frame)

        self.client.socket_manager._handle_data = record_opcode

    def find(self, wanted):
        for message in list(self.received):
            if wanted(message):
                return message
        return None

    def pushed(self, table, wanted=lambda row: True):
        """The first row of a channel that matches."""
        for message in list(self.received):
            if message.get("table", message.get("group", "")).split(":")[0] != table or "data" not in message:
                continue
            rows = message["data"] if isinstance(message["data"], list) else [message["data"]]
            for row in rows:
                if wanted(row):
                    return row
        return None

    def stop(self, name):
        stopped = threading.Thread(target=self.client.stop, daemon=True)
        stopped.start()
        stopped.join(PATIENCE)
        report("FAIL" if stopped.is_alive() else "ok", name)


def end():
    """Prints the counts and ends the program: the ping timers of the SDK never do by themselves."""
    print(f"{tally['ok']} passed, {tally['FAIL']} failed")
    sys.stdout.flush()
    os._exit(1 if tally["FAIL"] else 0)


def report_crash(kind, error, trace):
    traceback.print_exception(kind, error, trace)
    report("FAIL", "the program", shortened(str(error)))
    end()


sys.excepthook = report_crash

system, spot, account = client(APISystem, "spot"), client(APISpot, "spot"), client(APIAccount, "spot")
margin, subs, broker = client(APIMarginLoan, "spot"), client(APISpotSubAccount, "spot"), client(APIBroker, "spot")
finance = client(APIFinance, "spot")
futures, futures_subs = client(APIContract, "futures"), client(APIContractSubAccount, "futures")

step("system time", system.get_system_time, "server_time",
     lambda d: abs(d["server_time"] / 1000 - time.time()) < 5)
step("system service", system.get_system_service, "service[].status service[].title")

# Spot market data.
step("spot currencies", spot.get_currencies, "currencies[].id currencies[].withdraw_enabled",
     lambda d: {"BTC", "USDT"} <= {row["id"] for row in d["currencies"]})
step("spot symbols", spot.get_symbols, "symbols[]", lambda d: PAIR in d["symbols"])
step("spot symbol details", spot.get_symbol_detail, "symbols[].base_min_size symbols[].price_max_precision",
     lambda d: PAIR in {row["symbol"] for row in d["symbols"]})
step("spot tickers", spot.get_v3_tickers, "[]",
     lambda d: all(len(row) == 13 for row in d) and PAIR in {row[0] for row in d})
step("spot ticker", lambda: spot.get_v3_ticker(PAIR), "symbol last bid_px ask_px v_24h ts",
     lambda d: Decimal(d["bid_px"]) < Decimal(d["ask_px"]))
step("spot latest candles", lambda: spot.get_v3_latest_kline(PAIR, step=1, limit=5), "[]",
     lambda d: 0 < len(d) <= 5 and len(d[0]) == 7 and int(d[0][0]) > time.time() - 300)
step("spot history candles", lambda: spot.get_v3_history_kline(PAIR, step=5, limit=3), "[]",
     lambda d: len(d) == 3 and Decimal(d[0][3]) <= Decimal(d[0][4]) <= Decimal(d[0][2]))
step("spot candles before a time", lambda: spot.get_v3_history_kline(PAIR, before=int(time.time()) - 600, limit=2),
     "[]", lambda d: all(int(row[0]) < time.time() - 600 for row in d))
book = step("spot book", lambda: spot.get_v3_depth(PAIR, limit=5), "ts symbol asks[] bids[]",
            lambda d: len(d["asks"]) == len(d["bids"]) == 5 and Decimal(d["bids"][0][0]) < Decimal(d["asks"][0][0]))
until("the pair trades", lambda: spot.get_v3_trades(PAIR)[0]["data"], pause=0.3)
step("spot trades", lambda: spot.get_v3_trades(PAIR, limit=10), "[]",
     lambda d: 0 < len(d) <= 10 and d[0][0] == PAIR and d[0][4] in ("buy", "sell"))
rejected("spot book of an unknown pair", 200, 70002, lambda: spot.get_v3_depth("NO_PAIR"))

# The account, and invalid keys.
before = step("wallet of the account", lambda: account.get_wallet(need_usd_valuation=True),
              "wallet[].currency wallet[].available_usd_valuation wallet[].unAvailable",
              lambda d: any(row["currency"] == "USDT" and Decimal(row["available"]) > 0 for row in d["wallet"]))
step("wallet of one currency", lambda: account.get_wallet("BTC"), "wallet[].available",
     lambda d: [row["currency"] for row in d["wallet"]] == ["BTC"])
step("spot wallet", spot.get_wallet, "wallet[].id wallet[].available wallet[].frozen",
     lambda d: "BTC" in {row["id"] for row in d["wallet"]})
step("account currencies", account.get_currencies, "currencies[].currency currencies[].network")
step("basic fee rate", account.get_basic_fee_rate, "level taker_fee_rate_A maker_fee_rate_D")
step("trade fee rate", lambda: account.get_actual_trade_fee_rate(PAIR), "symbol buy_taker_fee_rate",
        lambda d: d["symbol"] == PAIR)
step("deposit address", lambda: account.get_deposit_address("USDT-TRC20"), "currency chain address")
operate("addresses", account=1, address={"currency": "BTC", "network": "BTC", "address": "bc1qsandbox"})
step("withdraw addresses", account.get_withdraw_address, "list[].currency list[].address",
     lambda d: [row["address"] for row in d["list"]] == ["bc1qsandbox"])
step("withdraw charge", lambda: account.get_withdraw_charge("BTC"), "withdraw_fee min_withdraw")
step("withdraw to the chain", lambda: account.post_withdraw_apply(
    "BTC", "0.01", destination="To Digital Address", address="bc1qsandbox", address_memo=""), "withdraw_id")
withdrawn = step("withdrawals", lambda: account.get_deposit_withdraw_history_v2("withdraw", 10),
                 "records[].withdraw_id records[].status records[].fee",
                 lambda d: [row["currency"] for row in d["records"]] == ["BTC"])
step("deposits", lambda: account.get_deposit_withdraw_history_v2("deposit", 10), "records[]")
step("detail of a withdrawal", lambda: account.get_deposit_withdraw_detail(withdrawn["records"][0]["withdraw_id"]),
        "record.withdraw_id record.status")
rejected("withdraw too much", 400, 60008,
        lambda: account.post_withdraw_apply("BTC", "200000", destination="To Digital Address", address="bc1qsandbox"))
rejected("unknown key", 401, 30002, client(APISpot, "spot", key="unknown").get_wallet)
rejected("wrong secret", 401, 30005, lambda: client(APISpot, "spot", secret="wrong").v4_query_open_orders())

# Spot orders, watched by both private channels.
private = Socket(SpotSocketClient, READY["spot"]["ws_private"])
private.client.login(timeout=0)
until("spot login", lambda: private.find(lambda m: m.get("event") == "login" and "errorCode" not in m))
private.client.subscribe(
    ["spot/user/orders:ALL_SYMBOLS", "spot/user/balance:BALANCE_UPDATE", f"spot/user/order:{PAIR}"])
until("spot private channels are acknowledged",
      lambda: sum(m.get("event") == "subscribe" for m in list(private.received)) == 3)

bid, ask = (Decimal(book[side][0][0]) for side in ("bids", "asks")) if book else (Decimal(1), Decimal(2))
far = str((bid * Decimal("0.9")).quantize(Decimal("0.01")))


def order(side, kind, **more):
    return lambda: spot.post_submit_order(PAIR, side, kind, **more)


def pushed_order(placed, state):
    return lambda: private.pushed(
        "spot/user/orders", lambda row: row["order_id"] == placed["order_id"] and row["order_state"] == state)


limit = step("limit order", order("buy", "limit", size="0.01", price=far, client_order_id="day1",
                                  stp_mode="cancel_maker"), "order_id")
until("its push", pushed_order(limit, "new"))
until("its push on the channel of the pair",
      lambda: private.pushed("spot/user/order", lambda row: row["order_id"] == limit["order_id"]))
step("order by id", lambda: spot.v4_query_order_by_id(limit["order_id"], "open"),
     "orderId clientOrderId side type state price size filledSize createTime",
     lambda d: (d["clientOrderId"], d["state"], Decimal(d["price"])) == ("day1", "new", Decimal(far)))
step("order by client id", lambda: spot.v4_query_order_by_order_client_id("day1", "open", recv_window=5000), "orderId",
     lambda d: d["orderId"] == limit["order_id"])
step("open orders", lambda: spot.v4_query_open_orders(PAIR, order_mode="spot", limit=10), "[].orderId",
     lambda d: [row["orderId"] for row in d] == [limit["order_id"]])
rejected("client id twice", 400, 50042, order("buy", "limit", size="0.01", price=far, client_order_id="day1"))
rejected("too little money", 400, 50020, order("buy", "limit", size="1000", price=far))
rejected("below the minimum", 400, 51011, order("buy", "limit", size="0.00001", price=far))
step("cancel by id", lambda: spot.post_cancel_order_by_orderid(PAIR, limit["order_id"]), "result",
     lambda d: d["result"] is True)
until("its push", pushed_order(limit, "canceled"))

bought = step("market buy", order("buy", "market", notional="600"), "order_id")
until("its push", lambda: pushed_order(bought, "filled")() or pushed_order(bought, "partially_canceled")())
until("the balance push", lambda: private.pushed(
    "spot/user/balance", lambda row: {"BTC", "USDT"} <= {each["ccy"] for each in row["balance_details"]}))
step("the bought order", lambda: spot.v4_query_order_by_id(bought["order_id"], "history"), "filledSize state",
     lambda d: Decimal(d["filledSize"]) > 0 and Decimal(d["filledNotional"]) <= 600)
step("trades of the order", lambda: spot.v4_query_order_trade_list(bought["order_id"]),
     "[].tradeId [].price [].size [].fee [].feeCoinName [].tradeRole",
     lambda d: d and {row["tradeRole"] for row in d} == {"taker"})
sold = step("market sell", order("sell", "market", size="0.005"), "order_id")
until("its push", pushed_order(sold, "filled"))
maker = step("post-only order", order("sell", "limit_maker", size="0.01",
                                      price=str((ask * Decimal("1.1")).quantize(Decimal("0.01")))), "order_id")
step("post-only order rests", lambda: spot.v4_query_order_by_id(maker["order_id"], "open"), "type state",
     lambda d: (d["type"], d["state"]) == ("limit_maker", "new"))
ioc = step("ioc order", order("buy", "ioc", size="0.01", price=far, client_order_id="day2"), "order_id")
until("its push", pushed_order(ioc, "canceled"))
step("cancel by client id", lambda: spot.post_cancel_order_by_clientid(PAIR, "day2"), "result",
     lambda d: d["result"] is False)
batch = step("batch of orders", lambda: spot.post_batch_orders(
    PAIR, [{"side": "buy", "type": "limit", "size": "0.01", "price": far, "clientOrderId": f"batch{n}"}
           for n in range(4)], recv_window=5000), "code data.orderIds[]",
    lambda d: d["code"] == 0 and len(d["data"]["orderIds"]) == 4)
step("cancel several by id", lambda: spot.post_cancel_orders(PAIR, order_ids=batch["data"]["orderIds"][:2]),
     "successIds[] failIds[] totalCount", lambda d: d["successCount"] == 2 and d["failedCount"] == 0)
step("cancel several by client id", lambda: spot.post_cancel_orders(PAIR, client_order_ids=["batch2", "unknown"]),
     "successIds[]", lambda d: (d["successIds"], d["failIds"]) == (["batch2"], ["unknown"]))
step("cancel all of one side", cancel_all(PAIR, "buy"))
step("the other side stays", lambda: spot.v4_query_open_orders(PAIR), "[].orderId",
     lambda d: [row["orderId"] for row in d] == [maker["order_id"]])
step("cancel all", cancel_all())
step("nothing is open", spot.v4_query_open_orders, "[]", lambda d: d == [])
step("finished orders", lambda: spot.v4_query_account_orders(
    PAIR, order_mode="spot", start_time=int(time.time() * 1000) - 600_000, end_time=int(time.time() * 1000) + 1000),
    "[].orderId [].state", lambda d: {limit["order_id"], bought["order_id"]} <= {row["orderId"] for row in d})
step("trades of the account", lambda: spot.v4_query_account_trade_list(PAIR, limit=50), "[].tradeId [].orderId",
     lambda d: {bought["order_id"], sold["order_id"]} <= {row["orderId"] for row in d})
rejected("an order that is not there", 400, 50005, lambda: spot.post_cancel_order_by_orderid(PAIR, "1"))


def available(data, currency):
    return next(Decimal(row["available"]) for row in data["wallet"] if row["currency"] == currency)


step("the wallet has moved", account.get_wallet, "wallet[].available",
     lambda d: available(before, "BTC") > available(d, "BTC") > available(before, "BTC") - Decimal("0.02"))
private.stop("spot private socket closes")

# Orders that wait for a price.
algo = step("algo order", lambda: spot.v4_algo_submit_order(PAIR, "buy", "trigger", "algo1", {
    "size": "0.01", "price": far, "trigger_price": far, "trigger_type": "limit"}), "order_id")
step("algo order by id", lambda: spot.v4_query_algo_order_by_id(algo["order_id"], "open"), "orderId state",
     lambda d: d["clientOrderId"] == "algo1" and d["state"] == "new")
step("algo order by client id", lambda: spot.v4_query_algo_order_by_client_id("algo1", "open"), "orderId",
     lambda d: d["orderId"] == algo["order_id"])
step("open algo orders", lambda: spot.v4_query_algo_open_orders(PAIR), "[].orderId", lambda d: len(d) == 1)
step("cancel an algo order", lambda: spot.v4_algo_cancel_order(PAIR, algo["order_id"], "trigger"), "result",
     lambda d: d["result"] is True)
step("cancel all algo orders", lambda: spot.v4_algo_cancel_all("trigger", PAIR))
step("finished algo orders", lambda: spot.v4_query_algo_history_orders(PAIR), "[].orderId",
     lambda d: [row["state"] for row in d] == ["canceled"])

# Margin, sub-accounts, funding, earning, rebates.
step("margin account", lambda: account.get_margin_account_details_isolated(PAIR),
        "symbols[].base.available symbols[].quote.borrowed symbols[].risk_rate")
step("margin pairs", lambda: margin.trading_pair_borrowing_rate_and_amount(PAIR),
        "symbols[].max_leverage symbols[].base.hourly_interest")
step("transfer to margin", lambda: account.margin_asset_transfer(PAIR, "USDT", "100", "in"), "transfer_id")
step("borrow", lambda: margin.margin_borrow_isolated(PAIR, "USDT", "10"), "borrow_id")
step("borrow records", lambda: margin.borrow_record_isolated(PAIR, n=10), "records[].borrow_id")
step("margin order", lambda: spot.place_margin_order(PAIR, "buy", "limit", "margin1", "0.001", far), "order_id")
step("cancel the margin order", cancel_all())
step("repay", lambda: margin.margin_repay_isolated(PAIR, "USDT", "10"), "repay_id")
step("repay records", lambda: margin.repayment_record_isolated(PAIR, currency="USDT", n=10), "records[].repay_id")
known = step("sub-accounts", subs.get_sub_account_list, "subAccountList[].accountName subAccountList[].status")
if known and known["subAccountList"]:
    sub = known["subAccountList"][0]["accountName"]
    step("to a sub-account", lambda: subs.post_main_to_sub("day1", "10", "USDT", sub))
    step("wallet of a sub-account", lambda: subs.get_sub_spot_wallet(sub), "wallet[].currency wallet[].available")
    step("back from a sub-account", lambda: subs.post_sub_to_main("day2", "10", "USDT", sub))
    step("transfers of a sub-account", lambda: subs.get_sub_transfer_list("spot to spot", 10, sub), "historyList[]")
    step("futures: to a sub-account", lambda: futures_subs.post_main_to_sub("day3", "10", "USDT", sub))
    step("futures: wallet of a sub-account", lambda: futures_subs.get_sub_wallet(sub), "wallet[].available")
    step("futures: back from a sub-account", lambda: futures_subs.post_sub_to_main("day4", "10", "USDT", sub))
    step("futures: transfers of a sub-account", lambda: futures_subs.get_sub_transfer_list(sub, 10), "[].amount")
step("own transfers", lambda: subs.get_account_transfer_history("spot to spot", 10), "historyList[]")
step("futures: own transfers", lambda: futures_subs.get_sub_transfer_history(10), "[]")
invented("deposit account", account.get_deposit_account)
step("rebates", broker.broker_rebates, "rebates")
savings = step("savings products", lambda: finance.get_savings_product(1, 10, "USDT"), "list[].productId",
               lambda d: {row["coinName"] for row in d["list"]} == {"USDT"})
step("save", lambda: finance.post_savings_subscribe(savings["list"][0]["productId"], "100", "1" * 20))
step("earn assets", finance.get_earn_assets, "[].coinName", lambda d: [row["coinName"] for row in d] == ["USDT"])
held = step("savings", lambda: finance.get_savings_holdings(1, 10), "list[].earnId")
step("redeem savings", lambda: finance.post_savings_redeem(held["list"][0]["earnId"], "100", "2" * 20))
step("records of savings", lambda: finance.get_savings_records("redeem", 1, 10), "list[].recordId")
fixed = step("fixed products", lambda: finance.get_fixed_product(1, 10, "USDT"), "list[].productId")
step("save for a term", lambda: finance.post_fixed_subscribe(fixed["list"][0]["productId"], "100", "3" * 20, "OFF"))
step("fixed savings", lambda: finance.get_fixed_holdings(1, 10), "list[].earnId")

# Futures market data.
now = int(time.time())
step("contracts", lambda: futures.get_details(CONTRACT), "symbols[].contract_size symbols[].max_leverage",
     lambda d: [row["symbol"] for row in d["symbols"]] == [CONTRACT])
step("all contracts", futures.get_details, "symbols[].symbol", lambda d: len(d["symbols"]) >= 3)
deals = step("futures book", lambda: futures.get_depth(CONTRACT), "asks[] bids[] timestamp",
             lambda d: Decimal(d["bids"][0][0]) < Decimal(d["asks"][0][0]))
step("open interest", lambda: futures.get_open_interest(CONTRACT), "symbol open_interest open_interest_value",
     lambda d: d["symbol"] == CONTRACT)
step("funding rate", lambda: futures.get_funding_rate(CONTRACT), "symbol rate_value expected_rate",
     lambda d: d["symbol"] == CONTRACT)
step("funding rate, new form", lambda: futures.get_funding_rate_v2(CONTRACT), "list[].rate_value",
     lambda d: [row["symbol"] for row in d["list"]] == [CONTRACT])
step("funding rates of the past", lambda: futures.get_fund_rate_history(CONTRACT, 5), "list[].funding_rate",
     lambda d: [row["symbol"] for row in d["list"]] == [CONTRACT] * 5)
step("futures candles", lambda: futures.get_kline(CONTRACT, 1, now - 600, now), "[].open_price [].timestamp",
     lambda d: d and all(now - 660 <= row["timestamp"] <= now for row in d))
step("mark price candles", lambda: futures.get_mark_price_kline(CONTRACT, 1, now - 600, now), "[].close_price",
     lambda d: len(d) > 0)
step("futures trades", lambda: futures.get_market_trade(CONTRACT, 5), "[].price [].qty [].time",
     lambda d: 0 < len(d) <= 5)
step("leverage brackets", lambda: futures.get_leverage_bracket(CONTRACT), "rules[].symbol rules[].brackets[]")
rejected("an unknown contract", 400, 40034, lambda: futures.get_details("NOPAIR"))

# Futures orders, watched by the private channels.
watch = Socket(FuturesSocketClient, READY["futures"]["ws_private"])
watch.client.login(timeout=0)
until("futures login", lambda: watch.find(lambda m: m.get("action") == "access" and m.get("success") is True))
watch.client.subscribe(["futures/asset:USDT", "futures/position", "futures/order"])
until("futures private channels are acknowledged", lambda: sum(
    m.get("action") == "subscribe" and m["success"] for m in list(watch.received)) == 3)

step("futures assets", futures.get_assets_detail, "[].currency [].available_balance [].equity",
     lambda d: any(row["currency"] == "USDT" and Decimal(row["equity"]) > 0 for row in d))
step("futures fee rate", lambda: futures.get_trade_fee_rate(CONTRACT), "symbol maker_fee_rate taker_fee_rate",
     lambda d: d["symbol"] == CONTRACT)
step("position mode", futures.get_position_mode, "position_mode", lambda d: d["position_mode"] == "hedge_mode")
step("set the position mode", lambda: futures.post_set_position_mode("hedge_mode"), "position_mode",
     lambda d: d["position_mode"] == "hedge_mode")
step("set leverage", lambda: futures.post_submit_leverage(CONTRACT, "isolated", "5"), "symbol leverage open_type",
     lambda d: (d["symbol"], d["leverage"]) == (CONTRACT, "5"))
step("transfer to futures", lambda: futures.post_transfer("USDT", "10", "spot_to_contract", recv_window=5000),
        "amount currency")
step("transfers to futures", lambda: futures.get_transfer_list(1, 10, currency="USDT"), "records[].transfer_id")

low, high = (str((Decimal(deals[side][0][0] if deals else 1) * Decimal(factor)).quantize(Decimal("0.1")))
             for side, factor in (("bids", "0.9"), ("asks", "1.1")))


def contract_order(**more):
    return lambda: futures.post_submit_order(CONTRACT, leverage="5", open_type="isolated", **more)


def pushed_contract_order(placed, action):
    return lambda: watch.pushed("futures/order", lambda row: row["action"] == action
                                and str(row["order"]["order_id"]) == str(placed["order_id"]))


rest = step("futures limit order", contract_order(type="limit", side=1, mode=1, price=low, size=10,
                                                  client_order_id="deal1"), "order_id price",
            lambda d: isinstance(d["order_id"], int) and Decimal(d["price"]) == Decimal(low))
until("its push", pushed_contract_order(rest, 2))
step("futures order", lambda: futures.get_order(CONTRACT, rest["order_id"], account="futures"),
     "order_id client_order_id price size state side type leverage open_type deal_size create_time",
     lambda d: (d["client_order_id"], d["state"], d["side"]) == ("deal1", 2, 1))
step("futures open orders", lambda: futures.get_open_order(CONTRACT, type="limit", limit=10), "[].order_id",
     lambda d: [row["order_id"] for row in d] == [str(rest["order_id"])])
step("change a futures order", lambda: futures.post_modify_limit_order(
    CONTRACT, order_id=rest["order_id"], price=low, size="5"), "order_id")
step("cancel a futures order", lambda: futures.post_cancel_order(CONTRACT, client_order_id="deal1"))
until("its push", pushed_contract_order(rest, 3))
opened = step("futures market order", contract_order(type="market", side=1, mode=1, size=20), "order_id price",
              lambda d: d["price"] == "market price")
until("the push of its deal", lambda: watch.pushed("futures/order", lambda row: (
    str(row["order"]["order_id"]) == str(opened["order_id"]) and row["order"]["last_trade"] is not None)))
until("the push of the position", lambda: watch.pushed("futures/position", lambda row: (
    row["symbol"] == CONTRACT and row["position_type"] == 1 and Decimal(row["hold_volume"]) == 20)))
until("the push of the assets", lambda: watch.pushed(
    "futures/asset", lambda row: row["currency"] == "USDT" and Decimal(row["position_deposit"]) > 0))


def long(rows, field):
    return [Decimal(row[field]) for row in rows if row["symbol"] == CONTRACT]


step("positions", lambda: futures.get_position(account="futures"), "[].symbol [].current_amount [].entry_price",
     lambda d: long(d, "current_amount") == [20])
step("positions, new form", lambda: futures.get_position_v2(CONTRACT), "[].position_amount [].position_side",
     lambda d: {row["position_side"]: Decimal(row["position_amount"]) for row in d} == {"long": 20, "short": 0})
step("risk of positions", lambda: futures.get_position_risk(CONTRACT), "[].position_amt [].liquidation_price")
step("futures deals", lambda: futures.get_trades(CONTRACT, now - 60, now + 60), "[].trade_id [].vol [].paid_fees",
     lambda d: sum(Decimal(row["vol"]) for row in d) == 20)
stop = step("stop-loss", lambda: futures.post_submit_tp_sl_order(
    CONTRACT, "stop_loss", 3, low, "0", 1, client_order_id="stop1"), "order_id client_order_id",
            lambda d: d["client_order_id"] == "stop1")
until("its push", pushed_contract_order(stop, 2))
step("change a stop-loss", lambda: futures.post_modify_tp_sl_order(CONTRACT, low, 2, client_order_id="stop1"),
     "order_id", lambda d: d["order_id"] == stop["order_id"])
step("close the position", contract_order(type="market", side=3, mode=1, size=20), "order_id")
until("the stop-loss goes with the position", pushed_contract_order(stop, 3))
step("nothing is held", lambda: futures.get_position_v2(), "[]", lambda d: d == [])
rejected("close more than is held", 400, 40020, contract_order(type="market", side=3, mode=1, size=20))
rejected("an unknown futures order", 400, 40035, lambda: futures.get_order(CONTRACT, "1"))
step("futures order history", lambda: futures.get_order_history(CONTRACT, now - 60, now + 60), "[].order_id [].state",
     lambda d: {str(rest["order_id"]), str(opened["order_id"])} <= {row["order_id"] for row in d})
step("futures account history", lambda: futures.get_transaction_history(CONTRACT, page_size=10), "[].amount [].type")
for each in range(2):
    step("futures order to cancel", contract_order(type="limit", side=4, mode=4, size=1, price=high), "order_id")
step("cancel all futures orders", lambda: futures.post_cancel_orders(CONTRACT))
step("no futures order is open", lambda: futures.get_open_order(CONTRACT), "[]", lambda d: d == [])
plan = step("plan order", lambda: futures.post_submit_plan_order(
    CONTRACT, type="limit", side=1, leverage="5", open_type="isolated", mode=1, size=1, trigger_price=low,
    executive_price=low, price_way=2, price_type=1), "order_id")
step("plan orders", lambda: futures.get_current_plan_order(CONTRACT), "[].order_id [].trigger_price",
     lambda d: [row["order_id"] for row in d] == [str(plan["order_id"])])
step("presets of a plan order", lambda: futures.post_modify_preset_plan_order(
    CONTRACT, str(plan["order_id"]), preset_take_profit_price=high), "order_id",
     lambda d: d["order_id"] == str(plan["order_id"]))
step("cancel a plan order", lambda: futures.post_cancel_plan_order(CONTRACT, order_id=str(plan["order_id"])))
trail = step("trailing order", lambda: futures.post_submit_trail_order(
    CONTRACT, side=1, leverage="5", open_type="isolated", size=1, activation_price=low, callback_rate="1",
    activation_price_type=1), "order_id")
step("cancel a trailing order", lambda: futures.post_cancel_trail_order(CONTRACT, str(trail["order_id"])))
step("cancel all after", lambda: futures.post_cancel_all_after(CONTRACT, 60), "result set_time cancel_time")
watch.stop("futures private socket closes")

# Every public channel the SDK has a name for.
public = Socket(SpotSocketClient, READY["spot"]["ws_public"])
tables = sorted({value for name, value in vars(cloud_consts).items() if name.startswith("WS_PUBLIC_SPOT")}
                | {"spot/depth/increase100"})
public.client.subscribe([f"{table}:{PAIR}" for table in tables])
for table in tables:
    until(f"push of {table}", lambda: public.pushed(table, lambda row: row["symbol"] == PAIR))
until("spot channels are acknowledged", lambda: {m.get("topic") for m in list(public.received) if m.get(
    "event") == "subscribe"} == {f"{table}:{PAIR}" for table in tables})
report("ok" if public.opcodes >= {1, 2} else "FAIL", "acknowledgements are text, market data is deflated")
public.client.unsubscribe(f"spot/ticker:{PAIR}")
until("spot unsubscription is acknowledged", lambda: public.find(lambda m: m.get("event") == "unsubscribe"))
public.client.subscribe("spot/nothing:BTC_USDT")
until("an unknown spot channel is rejected", lambda: public.find(lambda m: m.get("errorCode") == "90004"))
public.stop("spot public socket closes")

public = Socket(FuturesSocketClient, READY["futures"]["ws_public"])
tables = sorted({value for name, value in vars(cloud_consts).items() if name.startswith("WS_PUBLIC_CONTRACT")}
                | {"futures/trade", "futures/bookticker", "futures/depthAll5", "futures/depthIncrease5"})
public.client.subscribe([table if table == "futures/ticker" else f"{table}:{CONTRACT}" for table in tables])
for table in tables:
    until(f"push of {table}", lambda: public.pushed(table))
report("ok" if 2 not in public.opcodes else "FAIL", "futures frames are text")
until("futures pong", lambda: public.find(lambda m: m.get("group") == "System" and m["data"].startswith("pong")))
public.client.unsubscribe(f"futures/trade:{CONTRACT}")
until("futures unsubscription is acknowledged", lambda: public.find(lambda m: m.get("action") == "unsubscribe"))
public.stop("futures public socket closes")

end()

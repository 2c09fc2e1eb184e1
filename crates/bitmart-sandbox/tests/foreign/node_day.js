'use strict'

// Calls almost everything of BitMart's own Node SDK, against a sandbox: nothing of the SDK is changed but its
// addresses and keys. Run by `cargo xtask foreign`, which puts the ready line of the sandbox program
// into BITMART_SANDBOX. Prints a line per step, then the counts; the exit code is 1 when a step failed.

const {
  BitmartSpotAPI, BitmartFuturesAPI, BitmartSpotWebsocket, BitmartFuturesWebsocket,
} = require('@bitmartexchange/bitmart-node-sdk-api')

const ready = JSON.parse(process.env.BITMART_SANDBOX)
const { key, secret, memo } = ready.credentials
const keys = { apiKey: key, apiSecret: secret, apiMemo: memo }
const quiet = { info () {}, debug () {}, warn () {}, error () {} }
// Longest wait for anything, in milliseconds.
const PATIENCE = 15_000
const PAIR = 'BTC_USDT'
const CONTRACT = 'BTCUSDT'

const spot = new BitmartSpotAPI({ baseURL: ready.spot.rest, logger: quiet, ...keys })
const futures = new BitmartFuturesAPI({ baseURL: ready.futures.rest, logger: quiet, ...keys })

const tally = { ok: 0, FAIL: 0 }

const report = (word, name, more = '') => {
  tally[word] += 1
  console.log(`${word.padEnd(6)} ${name}${more && ': '}${more}`)
}

const shortened = value => (typeof value === 'string' ? value : JSON.stringify(value) ?? '').slice(0, 300)

/** Whether a field such as `orders[].id` is present, in every row of each list. */
const hasField = (data, path) => {
  if (path === '') return true
  const [first, ...rest] = path.split('.')
  const name = first.replace('[]', '')
  const value = name === '' ? data : data?.[name]
  if (value === undefined) return false
  if (!first.endsWith('[]')) return hasField(value, rest.join('.'))
  const inner = rest.join('.')
  return Array.isArray(value) && (inner === '' || value.length > 0) && value.every(row => hasField(row, inner))
}

/** One call: code 1000, these fields, and this check of data that the exchange computed. */
const step = async (name, call, fields = '', check = () => true) => {
  let body
  try {
    const response = await call()
    body = response.data
    const missing = fields.split(' ').filter(path => !hasField(body.data, path))
    if (body.code !== 1000) throw new Error(`code ${body.code}`)
    if (missing.length) throw new Error(`without ${missing}`)
    if ('x-sandbox-response' in response.headers) throw new Error('a response that no source describes')
    if (!check(body.data)) throw new Error('not as expected')
    report('ok', name)
    return body.data
  } catch (error) {
    report('FAIL', name, `${error.message} in ${shortened(error.response?.data ?? body)}`)
    return undefined
  }
}

/** One call that must be rejected with this status and code. */
const rejected = async (name, status, code, call) => {
  const response = await call().then(value => value, error => error.response ?? { data: error.message })
  const isExpected = response.status === status && response.data.code === code
  report(isExpected ? 'ok' : 'FAIL', name, `${response.status} ${shortened(response.data.code)}`)
}

/** A step that passes as soon as the condition holds, and fails if it does not within PATIENCE. */
const until = async (name, condition, pause = 20) => {
  const end = Date.now() + PATIENCE
  while (Date.now() < end) {
    if (await condition()) return report('ok', name)
    await new Promise(resolve => setTimeout(resolve, pause))
  }
  return report('FAIL', name, `not within ${PATIENCE} ms`)
}

/** A socket of the SDK and its received messages. */
class Socket {
  constructor (Kind, url) {
    this.received = []
    this.open = false
    const callbacks = {
      open: () => { this.open = true },
      message: text => this.received.push(JSON.parse(text)),
    }
    this.client = new Kind(url, { ...keys, callbacks, logger: quiet })
  }

  /** Whether a row of a channel matches. */
  pushed (table, wanted = () => true) {
    return this.received
      .filter(message => (message.table ?? message.group ?? '').split(':')[0] === table && 'data' in message)
      .flatMap(message => message.data)
      .some(wanted)
  }

  send (message) {
    this.client.send(JSON.stringify(message))
  }
}

const spotMarket = async () => {
  await step('system time', () => spot.getSystemTime(), 'server_time',
    data => Math.abs(data.server_time - Date.now()) < 5_000)
  await step('system service', () => spot.getSystemStatus(), 'service[].status')
  await step('spot currencies', () => spot.getSymbols(), 'symbols[]', data => data.symbols.includes(PAIR))
  await step('spot symbol details', () => spot.getSymbolsDetails(), 'symbols[].base_min_size',
    data => data.symbols.some(row => row.symbol === PAIR))
  await step('spot tickers', () => spot.getV3Tickers(), '[]', data => data.every(row => row.length === 13))
  await step('spot ticker', () => spot.getV3Ticker(PAIR), 'last bid_px ask_px ts', data => +data.bid_px < +data.ask_px)
  await step('spot latest candles', () => spot.getV3LatestKline(PAIR, { step: 1, limit: 5 }), '[]',
    data => data.length > 0 && +data[0][0] > Date.now() / 1000 - 300)
  await step('spot history candles', () => spot.getV3HistoryKline(PAIR, { step: 5, limit: 3 }), '[]',
    data => data.length === 3 && data[0].length === 7)
  await until('the pair trades', async () => (await spot.getV3Trades(PAIR)).data.data.length, 300)
  await step('spot trades', () => spot.getV3Trades(PAIR, { limit: 10 }), '[]',
    data => data.length > 0 && data.length <= 10)
  await rejected('spot ticker of an unknown pair', 200, 70002, () => spot.getV3Ticker('NO_PAIR'))
  // The SDK still has calls whose paths BitMart has taken down.
  await rejected('old ticker', 200, 30031, () => spot.getTicker())
  await rejected('old candles', 200, 30031, () => spot.getKline(PAIR, 1, 2))
  await rejected('old batch of orders', 200, 30031, () => spot.newBatchSpotOrder({ order_params: [] }))
  return step('spot book', () => spot.getV3Depth(PAIR, { limit: 5 }), 'asks[] bids[]',
    data => data.asks.length === 5 && +data.bids[0][0] < +data.asks[0][0])
}

const account = async () => {
  await step('wallet of the account', () => spot.getSpotAccountBalance({ currency: 'USDT' }), 'wallet[].available',
    data => data.wallet.length === 1 && +data.wallet[0].available > 0)
  await step('spot wallet', () => spot.getSpotWallet(), 'wallet[].id wallet[].available wallet[].frozen',
    data => data.wallet.some(row => row.id === 'BTC'))
  // Two modules of the SDK have a call of this name; the one of the market answers.
  await step('currencies', () => spot.getCurrencies(), 'currencies[]', data => data.currencies.length > 0)
  await step('basic fee rate', () => spot.getUserFee(), 'level taker_fee_rate_A')
  await step('trade fee rate', () => spot.getTradeFee(PAIR), 'buy_taker_fee_rate', data => data.symbol === PAIR)
  await step('deposit address', () => spot.getDepositAddress('USDT-TRC20'), 'address chain')
  await step('withdraw charge', () => spot.getWithdrawQuota('BTC'), 'withdraw_fee min_withdraw')
  await step('withdraw', () => spot.withdraw('BTC', '0.01', 'To Digital Address', 'bc1qsandbox', { address_memo: '' }),
    'withdraw_id')
  const done = await step('withdrawals', () => spot.getDepositAndWithdrawHistory('withdraw', 10),
    'records[].withdraw_id records[].status', data => data.records.length === 1)
  await step('detail of a withdrawal', () => spot.getDepositOrWithdrawDetail(done.records[0].withdraw_id),
    'record.withdraw_id')
  await step('margin account', () => spot.getMarginAccountDetails({ symbol: PAIR }), 'symbols[].risk_rate')
  await step('margin pairs', () => spot.getIsolatedPairs({ symbol: PAIR }), 'symbols[].max_leverage')
  await step('transfer to margin', () => spot.marginTransferAsset(PAIR, 'USDT', '100', 'in'), 'transfer_id')
  await step('borrow', () => spot.isolatedMarginBorrow(PAIR, 'USDT', '10'), 'borrow_id')
  await step('borrow records', () => spot.getIsolatedBorrowRecord(PAIR, { N: 10 }), 'records[].borrow_id')
  await step('repay', () => spot.isolatedMarginReply(PAIR, 'USDT', '10'), 'repay_id')
  await step('repay records', () => spot.getIsolatedReplyRecord(PAIR, { N: 10 }), 'records[].repay_id')
  const wrong = new BitmartSpotAPI({ baseURL: ready.spot.rest, logger: quiet, ...keys, apiSecret: 'wrong' })
  await rejected('wrong secret', 401, 30005, () => wrong.queryCurrentOpenOrder())
}

const spotOrders = async book => {
  const [bid, ask] = [book?.bids, book?.asks].map(side => +(side?.[0][0] ?? 1))
  const far = (bid * 0.9).toFixed(2)
  const socket = new Socket(BitmartSpotWebsocket, ready.spot.ws_private)
  await until('spot private socket opens', () => socket.open)
  socket.client.login()
  await until('spot login', () => socket.received.some(message => message.event === 'login' && !message.errorCode))
  const topics = ['spot/user/orders:ALL_SYMBOLS', 'spot/user/balance:BALANCE_UPDATE']
  socket.send({ op: 'subscribe', args: topics })
  await until('spot private channels are acknowledged',
    () => topics.every(topic => socket.received.some(message => message.topic === topic)))
  const push = (order, ...states) => until('its push', () => socket.pushed('spot/user/orders',
    row => row.order_id === order?.order_id && states.includes(row.order_state)))

  const limit = await step('limit order',
    () => spot.newSpotOrder(PAIR, 'buy', 'limit', { size: '0.01', price: far, client_order_id: 'day1' }), 'order_id')
  await push(limit, 'new')
  await step('order by id', () => spot.queryOrderById(limit.order_id, { queryState: 'open' }), 'orderId state price',
    data => data.clientOrderId === 'day1' && data.state === 'new')
  await step('order by client id', () => spot.queryOrderByClientOrderId('day1', { recvWindow: 5000 }), 'orderId',
    data => data.orderId === limit.order_id)
  await step('open orders', () => spot.queryCurrentOpenOrder({ symbol: PAIR, limit: 10 }), '[].orderId',
    data => data.length === 1)
  await step('cancel by id', () => spot.cancelOrder(PAIR, { order_id: limit.order_id }), 'result',
    data => data.result === true)
  await push(limit, 'canceled')
  const bought = await step('market buy',
    () => spot.newSpotOrder(PAIR, 'buy', 'market', { notional: '600' }), 'order_id')
  await push(bought, 'filled', 'partially_canceled')
  await until('the balance push', () => socket.pushed('spot/user/balance',
    row => row.balance_details.some(each => each.ccy === 'BTC')))
  await step('trades of the order', () => spot.queryOrderTrades(bought.order_id), '[].tradeId [].fee [].tradeRole',
    data => data.length > 0 && data.every(row => row.tradeRole === 'taker'))
  // Sizes as numbers: this SDK does not convert them to text.
  const sold = await step('market sell', () => spot.newSpotOrder(PAIR, 'sell', 'market', { size: 0.005 }), 'order_id')
  await push(sold, 'filled')
  const maker = await step('post-only order', () => spot.newSpotOrder(PAIR, 'sell', 'limit_maker',
    { size: 0.01, price: +(ask * 1.1).toFixed(2), client_order_id: 'day2' }), 'order_id')
  await push(maker, 'new')
  await step('cancel by client id', () => spot.cancelOrder(PAIR, { client_order_id: 'day2' }), 'result',
    data => data.result === true)
  const ioc = await step('ioc order',
    () => spot.newSpotOrder(PAIR, 'buy', 'ioc', { size: '0.01', price: far }), 'order_id')
  await push(ioc, 'canceled')
  await step('finished orders', () => spot.queryAccountOrders({ symbol: PAIR, orderMode: 'spot' }), '[].orderId',
    data => [limit, bought, sold, maker, ioc].every(order => data.some(row => row.orderId === order.order_id)))
  await step('trades of the account', () => spot.queryAccountTrades({ symbol: PAIR }), '[].tradeId',
    data => data.some(row => row.orderId === sold.order_id))
  await step('margin order',
    () => spot.newMarginOrder(PAIR, 'buy', 'limit', { size: '0.001', price: far }), 'order_id')
  await rejected('too little money', 400, 50020,
    () => spot.newSpotOrder(PAIR, 'buy', 'limit', { size: '1000', price: far }))
  socket.client.disconnect()
  await until('spot private socket closes', () => !socket.client.isConnected())
}

const futuresMarket = async () => {
  const now = Math.floor(Date.now() / 1000)
  await step('contracts', () => futures.getDetails({ symbol: CONTRACT }), 'symbols[].contract_size',
    data => data.symbols.length === 1 && data.symbols[0].symbol === CONTRACT)
  await step('open interest', () => futures.getOpenInterest(CONTRACT), 'open_interest',
    data => data.symbol === CONTRACT)
  await step('funding rate', () => futures.getCurrentFundingRate(CONTRACT), 'rate_value',
    data => data.symbol === CONTRACT)
  await step('futures candles', () => futures.getKline(CONTRACT, now - 600, now, { step: 1 }), '[].open_price',
    data => data.length > 0 && data.every(row => row.timestamp >= now - 660))
  return step('futures book', () => futures.getDepth(CONTRACT), 'asks[] bids[]',
    data => +data.bids[0][0] < +data.asks[0][0])
}

const futuresOrders = async book => {
  const far = (+(book?.bids[0][0] ?? 1) * 0.9).toFixed(1)
  const socket = new Socket(BitmartFuturesWebsocket, ready.futures.ws_private)
  await until('futures private socket opens', () => socket.open)
  socket.client.login()
  await until('futures login', () => socket.received.some(message => message.action === 'access' && message.success))
  const groups = ['futures/asset:USDT', 'futures/position', 'futures/order']
  socket.send({ action: 'subscribe', args: groups })
  await until('futures private channels are acknowledged', () => groups.every(group => socket.received.some(
    message => message.action === 'subscribe' && message.group === group && message.success)))
  const push = (placed, action) => until('its push', () => socket.pushed('futures/order',
    row => row.action === action && row.order.order_id === String(placed?.order_id)))
  const order = more => () => futures.newFuturesOrder(
    { symbol: CONTRACT, leverage: '5', open_type: 'isolated', mode: 1, ...more })

  await step('futures assets', () => futures.getAsset(), '[].available_balance [].equity',
    data => data.some(row => row.currency === 'USDT' && +row.equity > 0))
  await step('set leverage', () => futures.submitLeverage(CONTRACT, 'isolated', { leverage: '5' }), 'leverage',
    data => data.symbol === CONTRACT)
  await step('transfer to futures', () => futures.transfer('USDT', '10', 'spot_to_contract'), 'amount')
  await step('transfers to futures', () => futures.getTransferList(1, 10), 'records[].transfer_id')
  const rest = await step('futures limit order',
    order({ type: 'limit', side: 1, price: far, size: 10, client_order_id: 'deal1' }), 'order_id price',
    data => Number.isSafeInteger(data.order_id))
  await push(rest, 2)
  // Its id is a number: it must be one that JavaScript can hold.
  await step('futures order', () => futures.getOrderDetail(CONTRACT, rest.order_id), 'order_id state deal_size',
    data => data.order_id === String(rest.order_id) && data.state === 2)
  await step('futures open orders', () => futures.getAllOpenOrders(CONTRACT, { type: 'limit' }), '[].order_id',
    data => data.length === 1)
  await step('cancel a futures order', () => futures.cancelFuturesOrder(CONTRACT, rest.order_id))
  await push(rest, 3)
  const opened = await step('futures market order', order({ type: 'market', side: 1, size: 20 }), 'order_id',
    data => data.price === 'market price')
  await until('the push of its deal', () => socket.pushed('futures/order',
    row => row.order.order_id === String(opened?.order_id) && row.order.last_trade))
  await until('the push of the position', () => socket.pushed('futures/position',
    row => row.symbol === CONTRACT && +row.hold_volume === 20))
  await until('the push of the assets', () => socket.pushed('futures/asset', row => +row.position_deposit > 0))
  await step('positions', () => futures.getCurrentPosition({ symbol: CONTRACT }), '[].current_amount [].entry_price',
    data => data.some(row => row.position_type === 1 && +row.current_amount === 20))
  await step('futures deals', () => futures.getOrderTrade(CONTRACT), '[].trade_id [].vol',
    data => data.reduce((sum, row) => sum + +row.vol, 0) === 20)
  await step('close the position', order({ type: 'market', side: 3, size: 20 }), 'order_id')
  await step('nothing is held', () => futures.getCurrentPosition(), '[]', data => data.length === 0)
  await step('futures order history', () => futures.getOrderHistory(CONTRACT), '[].order_id',
    data => data.some(row => row.order_id === String(opened.order_id)))
  await step('futures order to cancel', order({ type: 'limit', side: 1, price: far, size: 1 }), 'order_id')
  await step('cancel all futures orders', () => futures.cancelAllFuturesOrder(CONTRACT))
  await step('no futures order is open', () => futures.getAllOpenOrders(CONTRACT), '[]', data => data.length === 0)
  const plan = await step('plan order', () => futures.newPlanOrder({
    symbol: CONTRACT, type: 'limit', side: 1, leverage: '5', open_type: 'isolated', mode: 1, size: 1,
    trigger_price: far, executive_price: far, price_way: 2, price_type: 1,
  }), 'order_id')
  await step('cancel a plan order', () => futures.cancelPlanOrder(CONTRACT, plan.order_id))
  await rejected('an unknown futures order', 400, 40035, () => futures.getOrderDetail(CONTRACT, '1'))
  socket.client.disconnect()
  await until('futures private socket closes', () => !socket.client.isConnected())
}

const publicChannels = async () => {
  const spotSocket = new Socket(BitmartSpotWebsocket, ready.spot.ws_public)
  await until('spot public socket opens', () => spotSocket.open)
  const tables = ['spot/ticker', 'spot/bookTicker', 'spot/trade', 'spot/depth5', 'spot/depth20',
    'spot/depth/increase100', 'spot/kline1m']
  spotSocket.send({ op: 'subscribe', args: tables.map(table => `${table}:${PAIR}`) })
  for (const table of tables) {
    await until(`push of ${table}`, () => spotSocket.pushed(table, row => row.symbol === PAIR))
  }
  spotSocket.send({ op: 'unsubscribe', args: [`spot/ticker:${PAIR}`] })
  await until('spot unsubscription is acknowledged',
    () => spotSocket.received.some(message => message.event === 'unsubscribe'))
  spotSocket.client.disconnect()

  const futuresSocket = new Socket(BitmartFuturesWebsocket, ready.futures.ws_public)
  await until('futures public socket opens', () => futuresSocket.open)
  const groups = ['futures/ticker', 'futures/trade', 'futures/depth5', 'futures/depthAll5', 'futures/depthIncrease5',
    'futures/bookticker', 'futures/klineBin1m', 'futures/fundingRate']
  futuresSocket.send({
    action: 'subscribe', args: groups.map(group => (group === 'futures/ticker' ? group : `${group}:${CONTRACT}`)),
  })
  for (const group of groups) await until(`push of ${group}`, () => futuresSocket.pushed(group))
  futuresSocket.send({ action: 'ping' })
  await until('futures pong', () => futuresSocket.received.some(message => message.group === 'System'))
  futuresSocket.client.disconnect()
}

const main = async () => {
  const book = await spotMarket()
  await account()
  await spotOrders(book)
  await futuresOrders(await futuresMarket())
  await publicChannels()
}

main().catch(error => report('FAIL', 'the program', error.stack)).finally(() => {
  console.log(`${tally.ok} passed, ${tally.FAIL} failed`)
  // The ping timers of the SDK never end by themselves.
  process.exit(tally.FAIL ? 1 : 0)
})

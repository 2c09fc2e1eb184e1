'use strict'

// BitMart's Node SDK as a program of `cargo xtask peers`: commands on standard input, a line of JSON for each on
// standard output. src/lib.rs has the table of commands.

const readline = require('node:readline')
const { BitmartSpotAPI, BitmartSpotWebsocket } = require('@bitmartexchange/bitmart-node-sdk-api')

const [plain, tls, market] = ['PEER_PLAIN', 'PEER_TLS', 'PEER_MARKET'].map(name => JSON.parse(process.env[name]))
const { key: apiKey, secret: apiSecret, memo: apiMemo } = plain.credentials
const logger = { info () {}, debug () {}, warn () {}, error () {} }
const client = ready => new BitmartSpotAPI({ baseURL: ready.spot.rest, logger, apiKey, apiSecret, apiMemo })
const clients = { plain: client(plain), tls: client(tls), market: client(market) }
const TOPIC = 'spot/depth50:BTC_USDT'
const FIELDS = ['symbol', 'last', 'v_24h', 'qv_24h', 'open_24h', 'high_24h', 'low_24h', 'fluctuation', 'bid_px',
  'bid_sz', 'ask_px', 'ask_sz', 'ts']

const now = () => Number(process.hrtime.bigint())

const order = async kind => {
  const { data } = await clients[kind].newSpotOrder('BTC_USDT', 'buy', 'limit', { size: '0.001', price: '50000' })
  if (data.code !== 1000) throw new Error(JSON.stringify(data))
}

const ticker = async () => (await clients.market.getV3Ticker('BTC_USDT')).data.data

const timed = async (call, count) => {
  const each = []
  for (let done = 0; done < count; done += 1) {
    const start = now()
    await call()
    each.push(now() - start)
  }
  return each
}

const orders = async (kind, inFlight, count) => {
  const begin = now()
  const shares = Array.from({ length: inFlight }, (_, task) => Math.floor(count / inFlight) + (task < count % inFlight))
  const each = await Promise.all(shares.map(share => timed(() => order(kind), share)))
  return { elapsed: now() - begin, each: each.flat() }
}

const books = (url, count, each) => new Promise((resolve, reject) => {
  let received = 0
  const message = text => {
    const frame = JSON.parse(text)
    if (!frame.data || received >= count) return
    frame.data.forEach(each)
    received += 1
    if (received < count) return
    socket.disconnect()
    resolve()
  }
  const open = () => socket.send(JSON.stringify({ op: 'subscribe', args: [TOPIC] }))
  const socket = new BitmartSpotWebsocket(url, { callbacks: { open, message, error: reject }, logger })
})

const values = book => [book.symbol, String(book.ms_t), ...[...book.asks, ...book.bids].flat()]

const respond = async words => {
  const [command, ...rest] = words
  if (command === 'order') {
    await order('plain')
    return { values: [] }
  }
  if (command === 'ticker') {
    const data = await ticker()
    return { values: FIELDS.map(field => data[field]) }
  }
  if (command === 'books') {
    const seen = []
    await books(rest[0], Number(rest[1]), book => seen.push(...values(book)))
    return { values: seen }
  }
  if (command === 'orders') return orders(rest[0], Number(rest[1]), Number(rest[2]))
  const begin = now()
  if (command === 'tickers') {
    const each = await timed(ticker, Number(rest[0]))
    return { elapsed: now() - begin, each }
  }
  if (command === 'frames') {
    await books(rest[0], Number(rest[1]), () => {})
    return { elapsed: now() - begin }
  }
  throw new Error(`no such command: ${words}`)
}

const main = async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const words = line.trim().split(/\s+/)
    const response = await respond(words).catch(error => ({ error: String(error) }))
    console.log(JSON.stringify(response))
  }
  // Ping timers of the SDK would keep it alive.
  process.exit(0)
}
main()

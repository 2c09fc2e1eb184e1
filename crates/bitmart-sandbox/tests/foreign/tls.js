'use strict'

// An order with axios and a socket of ws, over TLS: NODE_EXTRA_CA_CERTS names the sandbox's root. Run by
// `cargo xtask foreign`; prints a line per step, then the counts.

const axios = require('axios')
const crypto = require('node:crypto')
const WebSocket = require('ws')

const ready = JSON.parse(process.env.BITMART_SANDBOX)

const order = async () => {
  const body = JSON.stringify({ size: 100, price: 500000, side: 'sell', symbol: 'BTC_USDT', type: 'limit' })
  const timestamp = Date.now().toString()
  const { key, secret, memo } = ready.credentials
  const headers = {
    'Content-Type': 'application/json',
    'X-BM-KEY': key,
    'X-BM-TIMESTAMP': timestamp,
    'X-BM-SIGN': crypto.createHmac('sha256', secret).update(`${timestamp}#${memo}#${body}`).digest('hex'),
  }
  const { data } = await axios.post(ready.spot.rest + '/spot/v2/submit_order', body, { headers, timeout: 10_000 })
  if (data.code !== 1000) throw new Error(JSON.stringify(data))
}

const socket = () => new Promise((resolve, reject) => {
  const ws = new WebSocket(ready.spot.ws_public, { handshakeTimeout: 10_000 })
  ws.on('open', () => ws.send('{"op": "subscribe", "args": ["spot/ticker:BTC_USDT"]}'))
  ws.on('message', text => (ws.terminate(), String(text).includes('"subscribe"') ? resolve() : reject(text)))
  ws.on('error', reject)
})

const main = async () => {
  let failed = 0
  const steps = { order, socket }
  for (const [name, call] of Object.entries(steps)) {
    await call().then(() => console.log(`ok     ${name}`), error => {
      failed += 1
      console.log(`FAIL   ${name}: ${error.message ?? error}`)
    })
  }
  console.log(`${Object.keys(steps).length - failed} passed, ${failed} failed`)
  process.exit(failed ? 1 : 0)
}
main()

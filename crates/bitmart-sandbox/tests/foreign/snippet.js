'use strict'

// Runs the JavaScript of docs/coming-from.md, in the file that is its argument, with BitMart's SDK: nothing of it is
// changed but the address. Run by `cargo xtask foreign`; prints a line per step, then the counts.

const fs = require('node:fs')
const vm = require('node:vm')
const Bitmart = require('@bitmartexchange/bitmart-node-sdk-api')

const ready = JSON.parse(process.env.BITMART_SANDBOX)
const { key: apiKey, secret: apiSecret, memo: apiMemo } = ready.credentials
const code = fs.readFileSync(process.argv[2], 'utf8').replace('http://127.0.0.1:8801', ready.spot.rest)

const report = (good, detail) => {
  console.log(good ? 'ok     order' : `FAIL   order: ${detail}`)
  console.log(`${Number(good)} passed, ${Number(!good)} failed`)
  process.exit(good ? 0 : 1)
}
Object.assign(globalThis, { Bitmart, apiKey, apiSecret, apiMemo })
// Its last statement is the order.
Promise.resolve(vm.runInThisContext(code)).then(
  ({ data }) => report(data.code === 1000, JSON.stringify(data)),
  error => report(false, error.response ? JSON.stringify(error.response.data) : error.message))

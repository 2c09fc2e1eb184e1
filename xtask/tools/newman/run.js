'use strict'

// Newman runs docs/postman against a sandbox whose ready line is in BITMART_SANDBOX. No request may be refused for
// its signature, and all succeed but those below. Prints a line a request, then the tally.

const path = require('node:path')
const newman = require('newman')

const DOCS = path.join(__dirname, '../../../docs/postman')
const ready = JSON.parse(process.env.BITMART_SANDBOX)

// What refuses a request for who sends it: its key, signature, time or address.
const SIGNATURE = [30001, 30002, 30003, 30004, 30005, 30006, 30007, 30010, 30011, 30012, 40013, 40039]

// What cannot succeed, and why: its code must be just this one. What is not listed must succeed.
const CANNOT = {
}

const environment = require(path.join(DOCS, 'sandbox.postman_environment.json'))
const values = {
  spot: ready.spot.rest,
  futures: ready.futures.rest,
  api_key: ready.credentials.key,
  api_secret: ready.credentials.secret,
  api_memo: ready.credentials.memo,
}
environment.values = environment.values.map(entry => ({ ...entry, value: values[entry.key] }))

const tally = { ok: 0, FAIL: 0 }
const report = (good, name, more) => {
  const word = good ? 'ok' : 'FAIL'
  tally[word] += 1
  console.log(`${word.padEnd(6)} ${name}: ${more}`)
}

const heard = []
const judge = (error, { item, request, response }) => {
  const name = `${item.request.method} ${item.request.url.getPath()}`
  heard.push(name)
  if (error) return report(false, name, error.message)
  const text = response.text()
  const body = JSON.parse(text)
  // Three forms of an answer: with a code, with `success`, and data alone.
  const code = body.code === undefined ? (body.success === false ? body.errno : 1000) : Number(body.code) || 1000
  const told = text.slice(0, 200)
  if (SIGNATURE.includes(code)) return report(false, name, `refused for who sends it: ${told}`)
  const [wanted, why] = CANNOT[name] ?? [1000, 'succeeds']
  return report(code === wanted && (wanted !== 1000 || response.code === 200), name, code === wanted ? why : told)
}

newman.run({
  collection: require(path.join(DOCS, 'bitmart.postman_collection.json')),
  environment,
  reporters: [],
  timeoutRequest: 10_000,
}).on('request', judge).on('exception', (_, { error }) => report(false, 'script', error.message))
  .on('done', error => {
    if (error) report(false, 'newman', error.message)
    for (const name of Object.keys(CANNOT).filter(name => !heard.includes(name))) report(false, name, 'is not there')
    console.log(`${tally.ok} passed, ${tally.FAIL} failed`)
    process.exit(tally.FAIL ? 1 : 0)
  })

// Signs a request as BitMart requires: HMAC-SHA256 of `timestamp#memo#body` with the secret, in hex.
// Requests that need a signature send {{bm_timestamp}} and {{bm_sign}} in their headers.
const timestamp = Date.now().toString();
const memo = pm.variables.get('api_memo') || '';
const secret = pm.variables.get('api_secret') || '';
const raw = pm.request.body && pm.request.body.mode === 'raw' ? pm.request.body.raw : '';
// What is signed must be what is sent, so variables in the body are filled in here.
const body = raw ? pm.variables.replaceIn(raw) : '';
if (raw && body !== raw) pm.request.body.update({ mode: 'raw', raw: body });
const sign = CryptoJS.HmacSHA256(timestamp + '#' + memo + '#' + body, secret);
pm.variables.set('bm_timestamp', timestamp);
pm.variables.set('bm_sign', sign.toString(CryptoJS.enc.Hex));

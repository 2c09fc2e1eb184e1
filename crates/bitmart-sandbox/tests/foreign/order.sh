#!/usr/bin/env bash
# Orders with curl and openssl. Run by `cargo xtask foreign`; prints a line per step, then the counts.
# The secret is worthless here. Elsewhere, `ps` would show it as an argument of openssl.
set -uo pipefail

ok=0 failed=0
step() { # name, expected code, response
    if [[ $3 == *"$2"* ]]; then
        ok=$((ok + 1)) && echo "ok     $1"
    else
        failed=$((failed + 1)) && echo "FAIL   $1: $3"
    fi
}

trust=()
if [[ -n ${BITMART_ROOT:-} ]]; then trust=(--cacert "$BITMART_ROOT"); fi

fetch() { # arguments of curl
    curl --silent --show-error --max-time 10 "${trust[@]}" "$@"
}

post() { # path, body, secret
    local timestamp sign
    timestamp=$(date +%s%3N)
    sign=$(printf '%s' "$timestamp#$BITMART_API_MEMO#$2" | openssl dgst -sha256 -hmac "$3" -r | cut -d ' ' -f 1)
    fetch "$BITMART_SPOT_REST$1" --data-raw "$2" \
        -H 'Content-Type: application/json' -H "X-BM-KEY: $BITMART_API_KEY" \
        -H "X-BM-TIMESTAMP: $timestamp" -H "X-BM-SIGN: $sign"
}

order='{"size":"100","price":"500000","side":"sell","symbol":"BTC_USDT","type":"limit"}'
step 'order' '"code":1000' "$(post /spot/v2/submit_order "$order" "$BITMART_API_SECRET")"
step 'wrong secret' '"code":30005' "$(post /spot/v2/submit_order "$order" another)"
step 'wallet' '"code":1000' \
    "$(fetch -H "X-BM-KEY: $BITMART_API_KEY" "$BITMART_SPOT_REST/spot/v1/wallet")"
step 'book' '"code":1000' \
    "$(fetch "$BITMART_SPOT_REST/spot/quotation/v3/books?symbol=BTC_USDT&limit=5")"
echo "$ok passed, $failed failed"
exit $((failed > 0))

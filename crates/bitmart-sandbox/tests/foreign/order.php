<?php
// Orders as the PHP sample of the exchange's quick start does. Run by `cargo xtask foreign`; prints a line per step,
// then the counts.

function call($path, $headers, $body = null)
{
    $ch = curl_init(getenv('BITMART_SPOT_REST') . $path);
    if ($body !== null) {
        curl_setopt($ch, CURLOPT_POST, 1);
        curl_setopt($ch, CURLOPT_POSTFIELDS, $body);
    }
    curl_setopt($ch, CURLOPT_HTTPHEADER, array_merge($headers, ['X-BM-KEY: ' . getenv('BITMART_API_KEY')]));
    curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
    curl_setopt($ch, CURLOPT_TIMEOUT, 10);
    return json_decode(curl_exec($ch), true);
}

function order($secret)
{
    $timestamp = strval(round(microtime(true) * 1000));
    $body = json_encode(
        ['size' => '100', 'price' => '500000', 'side' => 'sell', 'symbol' => 'BTC_USDT', 'type' => 'limit']
    );
    $sign = hash_hmac('sha256', $timestamp . '#' . getenv('BITMART_API_MEMO') . '#' . $body, $secret);
    $headers = ['Content-Type: application/json', 'X-BM-TIMESTAMP: ' . $timestamp, 'X-BM-SIGN: ' . $sign];
    return call('/spot/v2/submit_order', $headers, $body);
}

$steps = [
    ['order', 1000, order(getenv('BITMART_API_SECRET'))],
    ['wrong secret', 30005, order('another')],
    ['wallet', 1000, call('/spot/v1/wallet', [])],
];
$failed = 0;
foreach ($steps as [$name, $code, $response]) {
    $good = ($response['code'] ?? null) === $code;
    $failed += $good ? 0 : 1;
    echo $good ? "ok     $name\n" : "FAIL   $name: " . json_encode($response) . "\n";
}
echo (count($steps) - $failed) . " passed, $failed failed\n";
exit($failed ? 1 : 0);

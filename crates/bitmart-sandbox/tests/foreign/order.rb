# Orders as the Ruby sample of the exchange's quick start does. Run by `cargo xtask foreign`; prints a line per step,
# then the counts.
require 'json'
require 'openssl'
require 'net/http'

HOST = ENV.fetch('BITMART_SPOT_REST')
KEY, SECRET, MEMO = %w[KEY SECRET MEMO].map { |name| ENV.fetch("BITMART_API_#{name}") }
ORDER = { size: '100', price: '500000', side: 'sell', symbol: 'BTC_USDT', type: 'limit' }.freeze

def send_request(request, url)
  Net::HTTP.start(url.host, url.port, use_ssl: url.scheme == 'https') { |http| http.request(request) }
end

def post(path, body, secret: SECRET)
  url = URI.parse(HOST + path)
  timestamp = (Time.now.to_f * 1000).to_i.to_s
  text = body.to_json
  request = Net::HTTP::Post.new(url)
  request.body = text
  request.initialize_http_header(
    'Content-Type' => 'application/json', 'X-BM-KEY' => KEY, 'X-BM-TIMESTAMP' => timestamp,
    'X-BM-SIGN' => OpenSSL::HMAC.hexdigest('sha256', secret, "#{timestamp}##{MEMO}##{text}")
  )
  JSON.parse(send_request(request, url).body)
end

def keyed(path)
  url = URI.parse(HOST + path)
  JSON.parse(send_request(Net::HTTP::Get.new(url, { 'X-BM-KEY' => KEY }), url).body)
end

failed = 0
steps = {
  'order' => [1000, -> { post('/spot/v2/submit_order', ORDER) }],
  'wrong secret' => [30_005, -> { post('/spot/v2/submit_order', ORDER, secret: 'another') }],
  'wallet' => [1000, -> { keyed('/spot/v1/wallet') }]
}
steps.each do |name, (code, call)|
  response = call.call
  good = response['code'] == code
  failed += 1 unless good
  puts good ? "ok     #{name}" : "FAIL   #{name}: #{response}"
end
puts "#{steps.size - failed} passed, #{failed} failed"
exit(failed.zero? ? 0 : 1)

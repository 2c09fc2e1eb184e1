// Orders as the C++ sample of the exchange's quick start does. Run by `cargo xtask foreign`; prints a line per step,
// then the counts.
#include <chrono>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>

#include <curl/curl.h>
#include <openssl/hmac.h>

using std::string;

static string setting(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

static string sign(const string& secret, const string& message) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest, &length);
    std::stringstream hex;
    for (unsigned int i = 0; i < length; i++)
        hex << std::hex << std::setfill('0') << std::setw(2) << static_cast<int>(digest[i]);
    return hex.str();
}

static size_t keep(char* bytes, size_t size, size_t count, void* kept) {
    static_cast<string*>(kept)->append(bytes, size * count);
    return size * count;
}

static string call(const string& path, const string& body, const string& secret) {
    CURL* curl = curl_easy_init();
    string received;
    const string url = setting("BITMART_SPOT_REST") + path;
    curl_slist* headers = curl_slist_append(nullptr, ("X-BM-KEY: " + setting("BITMART_API_KEY")).c_str());
    if (!body.empty()) {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        const string timestamp =
            std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
        const string signature = sign(secret, timestamp + "#" + setting("BITMART_API_MEMO") + "#" + body);
        headers = curl_slist_append(headers, "Content-Type: application/json");
        headers = curl_slist_append(headers, ("X-BM-TIMESTAMP: " + timestamp).c_str());
        headers = curl_slist_append(headers, ("X-BM-SIGN: " + signature).c_str());
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    const string root = setting("BITMART_ROOT");
    if (!root.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, root.c_str());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    const CURLcode result = curl_easy_perform(curl);
    if (result != CURLE_OK) received = curl_easy_strerror(result);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return received;
}

static int passed = 0, failed = 0;

static void step(const string& name, const string& code, const string& received) {
    if (received.find("\"code\":" + code) != string::npos) {
        passed++;
        std::cout << "ok     " << name << "\n";
    } else {
        failed++;
        std::cout << "FAIL   " << name << ": " << received << "\n";
    }
}

int main() {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const string order =
        R"({"price":"500000","side":"sell","size":"100","symbol":"BTC_USDT","type":"limit"})";
    step("order", "1000", call("/spot/v2/submit_order", order, setting("BITMART_API_SECRET")));
    step("wrong secret", "30005", call("/spot/v2/submit_order", order, "another"));
    step("wallet", "1000", call("/spot/v1/wallet", "", ""));
    std::cout << passed << " passed, " << failed << " failed" << std::endl;
    curl_global_cleanup();
    return failed ? 1 : 0;
}

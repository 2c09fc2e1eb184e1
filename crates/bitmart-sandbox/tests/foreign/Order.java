// Orders as the Java sample of the exchange's quick start does, with what Java itself brings. Run by
// `cargo xtask foreign`; prints a line per step, then the counts.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Order {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static int passed;
    private static int failed;

    private static HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(System.getenv("BITMART_SPOT_REST") + path))
                .timeout(Duration.ofSeconds(10))
                .header("X-BM-KEY", System.getenv("BITMART_API_KEY"));
    }

    private static String order(String secret) throws Exception {
        String body = "{\"size\":\"100\",\"price\":\"500000\",\"side\":\"sell\",\"symbol\":\"BTC_USDT\",\"type\":\"limit\"}";
        String timestamp = Long.toString(System.currentTimeMillis());
        String message = timestamp + "#" + System.getenv("BITMART_API_MEMO") + "#" + body;
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        String sign = HexFormat.of().formatHex(mac.doFinal(message.getBytes(StandardCharsets.UTF_8)));
        return send(request("/spot/v2/submit_order")
                .header("Content-Type", "application/json")
                .header("X-BM-TIMESTAMP", timestamp)
                .header("X-BM-SIGN", sign)
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    private static String send(HttpRequest.Builder request) throws Exception {
        return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString()).body();
    }

    private static void step(String name, int code, String response) {
        boolean good = response.contains("\"code\":" + code);
        passed += good ? 1 : 0;
        failed += good ? 0 : 1;
        System.out.println(good ? "ok     " + name : "FAIL   " + name + ": " + response);
    }

    public static void main(String[] args) throws Exception {
        step("order", 1000, order(System.getenv("BITMART_API_SECRET")));
        step("wrong secret", 30005, order("another"));
        step("wallet", 1000, send(request("/spot/v1/wallet")));
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }
}

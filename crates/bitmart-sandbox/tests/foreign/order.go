// Orders as the Go sample of the exchange's quick start does. Run by `cargo xtask foreign`; prints a line per step,
// then the counts.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

type envelope struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func send(request *http.Request) (envelope, error) {
	var body envelope
	client := http.Client{Timeout: 10 * time.Second}
	request.Header.Set("X-BM-KEY", os.Getenv("BITMART_API_KEY"))
	response, err := client.Do(request)
	if err != nil {
		return body, err
	}
	defer response.Body.Close()
	return body, json.NewDecoder(response.Body).Decode(&body)
}

func order(secret string) (envelope, error) {
	params := map[string]string{
		"size": "100", "price": "500000", "side": "sell", "symbol": "BTC_USDT", "type": "limit",
	}
	body, _ := json.Marshal(params)
	timestamp := fmt.Sprint(time.Now().UnixMilli())
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s#%s#%s", timestamp, os.Getenv("BITMART_API_MEMO"), body)
	url := os.Getenv("BITMART_SPOT_REST") + "/spot/v2/submit_order"
	request, err := http.NewRequest("POST", url, strings.NewReader(string(body)))
	if err != nil {
		return envelope{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-BM-TIMESTAMP", timestamp)
	request.Header.Set("X-BM-SIGN", fmt.Sprintf("%x", mac.Sum(nil)))
	return send(request)
}

func wallet() (envelope, error) {
	request, err := http.NewRequest("GET", os.Getenv("BITMART_SPOT_REST")+"/spot/v1/wallet", nil)
	if err != nil {
		return envelope{}, err
	}
	return send(request)
}

func main() {
	steps := []struct {
		name string
		code int
		call func() (envelope, error)
	}{
		{"order", 1000, func() (envelope, error) { return order(os.Getenv("BITMART_API_SECRET")) }},
		{"wrong secret", 30005, func() (envelope, error) { return order("another") }},
		{"wallet", 1000, wallet},
	}
	failed := 0
	for _, step := range steps {
		body, err := step.call()
		if err == nil && body.Code == step.code {
			fmt.Printf("ok     %s\n", step.name)
			continue
		}
		failed++
		fmt.Printf("FAIL   %s: %+v %v\n", step.name, body, err)
	}
	fmt.Printf("%d passed, %d failed\n", len(steps)-failed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

// The Go sample of the exchange's quick start as a program of `cargo xtask peers`: commands on standard input, a line
// of JSON for each on standard output. src/lib.rs has the table of commands. The quick start has no sample for
// streams in Go.
package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

type ready struct {
	Spot        struct{ Rest string }
	Credentials struct{ Key, Secret, Memo string }
}

type params struct {
	Size   string `json:"size"`
	Price  string `json:"price"`
	Side   string `json:"side"`
	Symbol string `json:"symbol"`
	Type   string `json:"type"`
}

type ticker struct {
	Symbol      string `json:"symbol"`
	Last        string `json:"last"`
	V24h        string `json:"v_24h"`
	Qv24h       string `json:"qv_24h"`
	Open24h     string `json:"open_24h"`
	High24h     string `json:"high_24h"`
	Low24h      string `json:"low_24h"`
	Fluctuation string `json:"fluctuation"`
	BidPx       string `json:"bid_px"`
	BidSz       string `json:"bid_sz"`
	AskPx       string `json:"ask_px"`
	AskSz       string `json:"ask_sz"`
	Ts          string `json:"ts"`
}

type timings struct {
	Elapsed int64   `json:"elapsed"`
	Each    []int64 `json:"each"`
}

var plain, tls, market = sandbox("PEER_PLAIN"), sandbox("PEER_TLS"), sandbox("PEER_MARKET")

func sandbox(name string) (line ready) {
	if err := json.Unmarshal([]byte(os.Getenv(name)), &line); err != nil {
		panic(name + ": " + err.Error())
	}
	return line
}

func send(req *http.Request, data any) error {
	client := &http.Client{}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	envelope := struct {
		Code int
		Data any
	}{Data: data}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return err
	}
	if envelope.Code != 1000 {
		return fmt.Errorf("%s", body)
	}
	return nil
}

func order(kind string) error {
	host := plain
	if kind == "tls" {
		host = tls
	}
	timestamp := time.Now().UnixNano() / int64(time.Millisecond)
	body, err := json.Marshal(params{Size: "0.001", Price: "50000", Side: "buy", Symbol: "BTC_USDT", Type: "limit"})
	if err != nil {
		return err
	}
	h := hmac.New(sha256.New, []byte(plain.Credentials.Secret))
	h.Write([]byte(fmt.Sprintf("%d#%s#%s", timestamp, plain.Credentials.Memo, body)))
	req, err := http.NewRequest("POST", host.Spot.Rest+"/spot/v2/submit_order", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Add("Content-Type", "application/json")
	req.Header.Add("X-BM-KEY", plain.Credentials.Key)
	req.Header.Add("X-BM-TIMESTAMP", strconv.FormatInt(timestamp, 10))
	req.Header.Add("X-BM-SIGN", fmt.Sprintf("%x", h.Sum(nil)))
	return send(req, &map[string]string{})
}

func read() (data ticker, err error) {
	req, err := http.NewRequest("GET", market.Spot.Rest+"/spot/quotation/v3/ticker?symbol=BTC_USDT", nil)
	if err != nil {
		return data, err
	}
	err = send(req, &data)
	return data, err
}

func timed(count int, call func() error) (each []int64, err error) {
	for done := 0; done < count && err == nil; done++ {
		start := time.Now()
		err = call()
		each = append(each, time.Since(start).Nanoseconds())
	}
	return each, err
}

func orders(kind string, inFlight, count int) (any, error) {
	begin, all, failure := time.Now(), []int64{}, error(nil)
	var lock sync.Mutex
	var tasks sync.WaitGroup
	for task := 0; task < inFlight; task++ {
		share := count / inFlight
		if task < count%inFlight {
			share++
		}
		tasks.Add(1)
		go func() {
			defer tasks.Done()
			each, err := timed(share, func() error { return order(kind) })
			lock.Lock()
			defer lock.Unlock()
			all = append(all, each...)
			if err != nil {
				failure = err
			}
		}()
	}
	tasks.Wait()
	return timings{time.Since(begin).Nanoseconds(), all}, failure
}

func respond(words []string) (any, error) {
	values := func(texts ...string) any { return map[string][]string{"values": append([]string{}, texts...)} }
	number := func(at int) int {
		value, _ := strconv.Atoi(words[at])
		return value
	}
	switch {
	case len(words) == 1 && words[0] == "order":
		return values(), order("plain")
	case len(words) == 1 && words[0] == "ticker":
		t, err := read()
		return values(t.Symbol, t.Last, t.V24h, t.Qv24h, t.Open24h, t.High24h, t.Low24h, t.Fluctuation, t.BidPx, t.BidSz,
			t.AskPx, t.AskSz, t.Ts), err
	case len(words) == 4 && words[0] == "orders":
		return orders(words[1], number(2), number(3))
	case len(words) == 2 && words[0] == "tickers":
		begin := time.Now()
		each, err := timed(number(1), func() error { _, err := read(); return err })
		return timings{time.Since(begin).Nanoseconds(), each}, err
	}
	return nil, fmt.Errorf("no such command: %v", words)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		response, err := respond(strings.Fields(lines.Text()))
		if err != nil {
			response = map[string]string{"error": err.Error()}
		}
		line, err := json.Marshal(response)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
}

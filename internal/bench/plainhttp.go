package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

// plainHTTP is the least that posting from another process costs in Go: net/http
// on both sides, the number of a transfer as request, nothing that a service
// adds. Commits are shared as ever.
type plainHTTP struct {
	server *http.Server
	url    string
	client *http.Client
}

func newPlainHTTP(p *poster, t transfers) (*plainHTTP, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fault.New(fault.Unavailable, "no address to serve at: %w", err)
	}
	const connections = 512
	h := &plainHTTP{url: "http://" + listener.Addr().String(), client: &http.Client{Transport: &http.Transport{MaxIdleConns: connections, MaxIdleConnsPerHost: connections}}}
	h.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var n int64
		if err == nil {
			n, err = strconv.ParseInt(string(body), 10, 64)
		}
		if err == nil {
			var results []ledger.Result
			if results, err = p.journal.Post(r.Context(), t.entry(n, lastDay)); err == nil {
				err = results[0].Err
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})}
	go h.server.Serve(listener) //nolint:errcheck // it ends with close
	return h, nil
}

func (h *plainHTTP) post(ctx context.Context, entries []ledger.Entry) error {
	number := strings.TrimPrefix(entries[0].Key, transferKey(0)[:len(transferKey(0))-1])
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, strings.NewReader(number))
	if err != nil {
		return err
	}
	response, err := h.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %w", response.Status, text, err)
	}
	return nil
}

func (h *plainHTTP) close() error {
	h.client.CloseIdleConnections()
	return h.server.Close()
}

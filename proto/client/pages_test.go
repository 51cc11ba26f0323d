package client_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"connectrpc.com/connect"

	"fundledger/proto/client"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
)

func TestAllPagesOfAListAreWalkedWhileOthersPost(t *testing.T) {
	t.Parallel()
	s := newService(t)
	url, _ := s.serve(t)
	p := newProxy(t, url)
	c := newClient(t, client.Options{Servers: []string{p.url}})
	post(t, c, 7)
	if _, err := s.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.next(pass, loseAnswer, away)
	request := &ledgerv1.ListEntriesRequest{PageSize: 3}
	var keys []string
	for entry, err := range client.All(t.Context(), request, c.Ledger.ListEntries, (*ledgerv1.ListEntriesResponse).GetEntries) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, entry.GetIdempotencyKey())
	}
	if want := []string{"0", "1", "2", "3", "4", "5", "6"}; !slices.Equal(keys, want) || p.faults.Load() != 2 {
		t.Errorf("%v after %d faults, want %v", keys, p.faults.Load(), want)
	}
	var sizes []int
	for page, err := range client.Pages(t.Context(), request, c.Ledger.ListEntries) {
		if err != nil || page.GetPosition() != 7 {
			t.Fatal(page, err)
		}
		if sizes = append(sizes, len(page.GetEntries())); len(sizes) == 2 {
			break
		}
	}
	if !slices.Equal(sizes, []int{3, 3}) || request.GetPageToken() != "" {
		t.Errorf("%v, token %q", sizes, request.GetPageToken())
	}
	for range client.All(t.Context(), request, c.Ledger.ListEntries, (*ledgerv1.ListEntriesResponse).GetEntries) {
		break
	}
	seen := 0
	for _, err := range client.All(t.Context(), &ledgerv1.ListEntriesRequest{PageToken: "x"}, c.Ledger.ListEntries, (*ledgerv1.ListEntriesResponse).GetEntries) {
		if seen++; connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%v", err)
		}
	}
	if seen != 1 {
		t.Errorf("an error came %d times", seen)
	}
}

func TestAWatcherMissesNothingAndSeesNothingTwiceThroughBreaks(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.seals(t)
	first, stop := s.serve(t)
	second, _ := s.serve(t)
	const wanted = 60
	for name, protocol := range map[string]client.Protocol{"connect": client.Connect, "grpc": client.GRPC} {
		one, two := newProxy(t, first), newProxy(t, second)
		// The line breaks after ever more bytes, in the middle of messages too.
		one.next(loseRequest, cutAnswer(1), cutAnswer(700), away, cutAnswer(3000))
		two.next(cutAnswer(100), pass, cutAnswer(1500))
		c := newClient(t, client.Options{Servers: []string{one.url, two.url}, Protocol: protocol})
		direct := newClient(t, client.Options{Servers: []string{second}})
		ctx, end := context.WithCancel(t.Context())
		posted := make(chan error, 1)
		go func() {
			for n := range wanted {
				if _, err := direct.Ledger.Post(ctx, &ledgerv1.PostRequest{Entry: entry(fmt.Sprint(name, n))}); err != nil {
					posted <- err
					return
				}
				if n == wanted/2 && protocol == client.GRPC {
					stop() // the first server drains, and its streams end
				}
			}
			posted <- nil
		}()
		seen, position := map[string]bool{}, int64(0)
		for message, err := range c.WatchEntries(ctx, &ledgerv1.WatchEntriesRequest{}) {
			if err != nil {
				t.Fatal(name, err)
			}
			for _, e := range message.GetEntries() {
				if e.GetPosition() <= position || seen[e.GetIdempotencyKey()] {
					t.Errorf("%s: %s comes again or too late, at %d behind %d", name, e.GetIdempotencyKey(), e.GetPosition(), position)
				}
				position, seen[e.GetIdempotencyKey()] = e.GetPosition(), true
			}
			if message.GetPosition() < position {
				t.Errorf("%s: position %d behind %d", name, message.GetPosition(), position)
			}
			missing := 0
			for n := range wanted {
				if !seen[fmt.Sprint(name, n)] {
					missing++
				}
			}
			if missing == 0 {
				break
			}
		}
		end()
		if err := <-posted; err != nil {
			t.Error(name, err)
		}
		if int64(len(seen)) != position || one.faults.Load()+two.faults.Load() < 3 {
			t.Errorf("%s: %d entries up to %d, %d and %d faults", name, len(seen), position, one.faults.Load(), two.faults.Load())
		}
	}
	beyond := newClient(t, client.Options{Servers: []string{second}})
	for _, err := range beyond.WatchEntries(t.Context(), &ledgerv1.WatchEntriesRequest{AfterPosition: 1_000_000}) {
		if connect.CodeOf(err) != connect.CodeNotFound {
			t.Errorf("%v", err)
		}
	}
}

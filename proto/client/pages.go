package client

import (
	"context"
	"iter"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Page is an answer of a call that lists.
type Page interface{ GetNextPageToken() string }

// Pages walks all answers of a call that lists, from the page that the request
// names on; the request is not changed. An error ends it.
func Pages[Q proto.Message, P Page](ctx context.Context, request Q, list func(context.Context, Q) (P, error)) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		request := proto.CloneOf(request)
		token := request.ProtoReflect().Descriptor().Fields().ByName("page_token")
		for {
			page, err := list(ctx, request)
			if !yield(page, err) || err != nil || page.GetNextPageToken() == "" {
				return
			}
			request.ProtoReflect().Set(token, protoreflect.ValueOfString(page.GetNextPageToken()))
		}
	}
}

// All walks all items of a call that lists:
//
//	for entry, err := range client.All(ctx, &ledgerv1.ListEntriesRequest{Period: "2025-01"},
//		c.Ledger.ListEntries, (*ledgerv1.ListEntriesResponse).GetEntries) {
//
// An error comes with the zero item, and ends it. Where the journal position
// of the answers is wanted, use Pages.
func All[Q proto.Message, P Page, T any](ctx context.Context, request Q, list func(context.Context, Q) (P, error), items func(P) []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for page, err := range Pages(ctx, request, list) {
			if err != nil {
				yield(*new(T), err)
				return
			}
			for _, item := range items(page) {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

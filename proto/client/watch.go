package client

import (
	"context"
	"errors"
	"iter"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
)

// errOver ends a stream that the server ended without an error.
var errOver = errors.New("the server has ended the stream")

// WatchEntries gives the entries behind request.after_position as the journal
// grows, until the context ends or the loop over them is left. After a lost
// connection, or when a server is stopped, it goes on behind the last message:
// no entry is missed and none comes twice. Who keeps the position of the last
// message that was dealt with can go on there after a crash; messages without
// entries come as signs of life. An error ends it.
func (c *Client) WatchEntries(ctx context.Context, request *ledgerv1.WatchEntriesRequest) iter.Seq2[*ledgerv1.WatchEntriesResponse, error] {
	return func(yield func(*ledgerv1.WatchEntriesResponse, error) bool) {
		request := proto.CloneOf(request)
		err := c.repeat(ctx, func(ctx context.Context, t *try) error {
			stream, err := c.Ledger.WatchEntries(ctx, request)
			if err != nil {
				return err
			}
			defer stream.Close()
			for {
				var more bool
				if t.receive(func() { more = stream.Receive() }); !more {
					break
				}
				t.progress = true
				message := stream.Msg()
				request.AfterPosition = message.GetPosition()
				if !yield(message, nil) {
					return errLeft
				}
			}
			if err := stream.Err(); err != nil {
				return err
			}
			return connect.NewError(connect.CodeUnavailable, errOver)
		})
		if err != nil && err != errLeft {
			yield(nil, err)
		}
	}
}

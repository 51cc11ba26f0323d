package rpc

import (
	"context"
	"net/http"
	"time"
)

// deadlines sets those of the connection of a request, where it has any.
type deadlines struct{ control *http.ResponseController }

func (d *deadlines) read(until time.Time) {
	if d != nil {
		_ = d.control.SetReadDeadline(until) // not every connection has them
	}
}

func (d *deadlines) write(until time.Time) {
	if d != nil {
		_ = d.control.SetWriteDeadline(until)
	}
}

type deadlinesKey struct{}

func deadlinesOf(ctx context.Context) *deadlines {
	d, _ := ctx.Value(deadlinesKey{}).(*deadlines)
	return d
}

// slack is how much longer a connection lives than the call on it may take.
const slack = 5 * time.Second

// timed bounds how long a client may take to send a request and to take the
// answer. A stream takes as long as it takes; each message of it is bounded.
func (s *Server) timed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := &deadlines{http.NewResponseController(w)}
		until := time.Time{}
		if m := s.methods[r.URL.Path]; m != nil && !m.streams {
			until = time.Now().Add(s.limits.RequestTime + slack)
		}
		d.read(until)
		d.write(until)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), deadlinesKey{}, d)))
	})
}

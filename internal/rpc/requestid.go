package rpc

import (
	"net/http"
	"regexp"

	"github.com/google/uuid"
)

// requestIDHeader carries the id of a request: the caller's, if it has the form
// of one, else a new one. It stands in the answer, in errors and in the logs.
const requestIDHeader = "X-Request-Id"

var requestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// identify gives each request its id.
func identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !requestID.MatchString(id) {
			id = uuid.NewString()
		}
		w.Header().Set(requestIDHeader, id)
		next.ServeHTTP(w, r.WithContext(withCall(r.Context(), &call{id: id, caller: &Principal{}})))
	})
}

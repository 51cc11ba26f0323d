package rpc

import (
	"sync"

	"golang.org/x/time/rate"
)

// limiter lets each subject call so often.
type limiter struct {
	rate  rate.Limit
	burst int

	mu   sync.Mutex
	each map[string]*rate.Limiter
}

func newLimiter(perSecond rate.Limit, burst int) *limiter {
	return &limiter{rate: perSecond, burst: burst, each: map[string]*rate.Limiter{}}
}

// maxLimited bounds what is remembered. Who has not called for a while has all
// of the burst again, and need not be remembered.
const maxLimited = 10_000

func (l *limiter) allow(subject string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.each[subject]
	if own == nil {
		if len(l.each) >= maxLimited {
			l.forget()
		}
		own = rate.NewLimiter(l.rate, l.burst)
		l.each[subject] = own
	}
	return own.Allow()
}

func (l *limiter) forget() {
	for subject, own := range l.each {
		if own.Tokens() >= float64(l.burst) {
			delete(l.each, subject)
		}
	}
}

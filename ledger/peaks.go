package ledger

import (
	"crypto/sha256"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// peaks grow a Merkle tree (RFC 6962) leaf by leaf and keep of it only what
// its later roots need: per level the complete subtree that waits for its
// right neighbour.
type peaks struct {
	size int64 // leaves
	left [64]tlog.Hash
}

// add appends the hash of a leaf. It calls made for the leaf and for each
// node that it completes, from below, and stops where made says no.
func (p *peaks) add(h tlog.Hash, made func(tlog.Hash) bool) bool {
	complete := bits.TrailingZeros64(^uint64(p.size))
	for level := range complete {
		if made != nil && !made(h) {
			return false
		}
		h = tlog.NodeHash(p.left[level], h)
	}
	if made != nil && !made(h) {
		return false
	}
	p.left[complete] = h
	p.size++
	return true
}

// root is the root of the tree as it stands.
func (p *peaks) root() tlog.Hash {
	if p.size == 0 {
		return sha256.Sum256(nil)
	}
	level := bits.TrailingZeros64(uint64(p.size))
	h := p.left[level]
	for rest := p.size >> level >> 1; rest != 0; rest >>= 1 {
		level++
		if rest&1 != 0 {
			h = tlog.NodeHash(p.left[level], h)
		}
	}
	return h
}

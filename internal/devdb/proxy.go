package devdb

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Cut is how a connection is lost at a commit.
type Cut int

const (
	// BeforeCommit loses the commit: the server never sees it.
	BeforeCommit Cut = iota + 1
	// AfterCommit loses the answer: the server has committed.
	AfterCommit
)

// Proxy stands between a test and its database and loses commits on demand,
// of this process or of a command that is given its URL. The client of a lost
// commit sees a broken connection and cannot know what has happened.
type Proxy struct {
	URL      string // as the database's, with the proxy's address
	server   string
	listener net.Listener

	mu    sync.Mutex
	cut   Cut
	after int // commits to let pass first
	cuts  int
	conns map[net.Conn]bool
	held  chan struct{} // closed when what is held may pass; nil: nothing is
	gone  bool
}

// NewProxy serves the database of the URL until the test ends. The URL must
// not ask for TLS.
func NewProxy(t testing.TB, address string) *Proxy {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{server: u.Host, listener: listener, conns: map[net.Conn]bool{}}
	u.Host = listener.Addr().String()
	p.URL = u.String()
	var serving sync.WaitGroup
	serving.Go(func() { p.accept(&serving) })
	t.Cleanup(func() {
		listener.Close()
		p.Thaw()
		p.hangUp()
		serving.Wait()
	})
	return p
}

// CutNext arms one cut at the next commit.
func (p *Proxy) CutNext(cut Cut) { p.CutAt(1, cut) }

// CutAt arms one cut at the nth commit from now.
func (p *Proxy) CutAt(n int, cut Cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut, p.after = cut, n-1
}

// Cuts counts the commits that were lost.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

// Freeze lets nothing pass any more in either direction, as when the client or
// the network stands still: connections stay open. Thaw lets all of it pass.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil {
		p.held = make(chan struct{})
	}
}

// Thaw ends Freeze.
func (p *Proxy) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held != nil {
		close(p.held)
		p.held = nil
	}
}

// Sever breaks all connections and takes no new ones, as when the client is killed.
func (p *Proxy) Sever() {
	p.mu.Lock()
	p.gone = true
	p.mu.Unlock()
	p.hangUp()
}

// pass waits while the proxy is frozen.
func (p *Proxy) pass() {
	p.mu.Lock()
	held := p.held
	p.mu.Unlock()
	if held != nil {
		<-held
	}
}

// decide says what happens to this commit.
func (p *Proxy) decide() Cut {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut == 0 {
		return 0
	}
	if p.after > 0 {
		p.after--
		return 0
	}
	cut := p.cut
	p.cut = 0
	p.cuts++
	return cut
}

func (p *Proxy) accept(serving *sync.WaitGroup) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		gone := p.gone
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		if gone {
			p.hangUp(client, server)
			continue
		}
		link := &link{proxy: p, client: client, server: server, commits: map[string]bool{}}
		serving.Go(link.toServer)
		serving.Go(link.toClient)
	}
}

func (p *Proxy) hangUp(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(conns) == 0 {
		for c := range p.conns {
			conns = append(conns, c)
		}
	}
	for _, c := range conns {
		c.Close()
		delete(p.conns, c)
	}
}

// link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	commits        map[string]bool // names of prepared statements that commit
	mute           sync.Mutex      // held while the client must hear nothing more
	muted          bool
}

func (l *link) close() { l.proxy.hangUp(l.client, l.server) }

func (l *link) toServer() {
	defer l.close()
	started := false
	for {
		message, err := readMessage(l.client, started)
		if err != nil {
			return
		}
		started = true
		l.proxy.pass()
		if l.isCommit(message) {
			switch l.proxy.decide() {
			case BeforeCommit:
				return
			case AfterCommit:
				l.mute.Lock()
				l.muted = true
				l.mute.Unlock()
			}
		}
		if _, err := l.server.Write(message); err != nil {
			return
		}
	}
}

func (l *link) toClient() {
	defer l.close()
	for {
		message, err := readMessage(l.server, true)
		if err != nil {
			return
		}
		l.proxy.pass()
		l.mute.Lock()
		muted := l.muted
		l.mute.Unlock()
		if muted {
			if message[0] == 'Z' { // ready for query: the commit is done
				return
			}
			continue
		}
		if _, err := l.client.Write(message); err != nil {
			return
		}
	}
}

// isCommit tells whether the message commits: by its text, or by the name of a
// statement that was prepared.
func (l *link) isCommit(message []byte) bool {
	texts := bytes.SplitN(message[5:], []byte{0}, 3)
	switch message[0] {
	case 'Q':
		return commits(texts[0])
	case 'P': // name, query
		l.commits[string(texts[0])] = commits(texts[1])
	case 'B': // portal, name
		return l.commits[string(texts[1])]
	}
	return false
}

// commits: CockroachDB commits when the outer savepoint is released.
func commits(query []byte) bool {
	query = bytes.ToUpper(bytes.TrimRight(query, "; "))
	return bytes.Equal(query, []byte("COMMIT")) || bytes.HasPrefix(query, []byte("RELEASE SAVEPOINT COCKROACH_RESTART"))
}

// readMessage reads one message of the protocol; the first of a client has no
// type byte.
func readMessage(r io.Reader, typed bool) ([]byte, error) {
	header := make([]byte, 4, 5)
	if typed {
		header = header[:5]
	}
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(header[len(header)-4:])
	if size < 4 || size > 1<<30 {
		return nil, io.ErrUnexpectedEOF
	}
	message := make([]byte, len(header)+int(size)-4)
	copy(message, header)
	_, err := io.ReadFull(r, message[len(header):])
	return message, err
}

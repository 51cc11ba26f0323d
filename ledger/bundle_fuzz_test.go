package ledger

import (
	"bytes"
	"errors"
	"testing"
)

// Coverage differs from run to run where several goroutines work, which keeps
// the fuzzer minimizing: give it -fuzzminimizetime 5x.
func FuzzBundle(f *testing.F) {
	signer, _ := testKey(f, "province")
	bundle := testParts(f, 2, signer, 3, 11).write(f, 600)
	f.Add(bundle)
	f.Add([]byte(bundleMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		proved(t, data)
	})
}

// FuzzFrame puts arbitrary content into a well-formed frame behind a header.
func FuzzFrame(f *testing.F) {
	signer, key := testKey(f, "province")
	p := testParts(f, 2, signer, 3, 11)
	bundle := p.write(f, aimFrame)
	in := bytes.NewReader(bundle[len(bundleMagic):])
	r, err := newFrameReader()
	if err != nil {
		f.Fatal(err)
	}
	var header []byte
	for in.Len() > 0 {
		var x frame
		if err := readFrame(in, &x); err != nil {
			f.Fatal(err)
		}
		content, _ := r.open(&x)
		if x.kind == frameHeader {
			header = bytes.Clone(content)
		}
		f.Add(x.kind, bytes.Clone(content))
	}
	f.Fuzz(func(t *testing.T, kind byte, content []byte) {
		var out bytes.Buffer
		w, err := newFrameWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.frame(frameHeader, header), w.frame(kind, content), w.frame(frameEnd, bundleCounts{}.append(nil))); err != nil {
			t.Fatal(err)
		}
		proved(t, out.Bytes(), key)
	})
}

// FuzzRecords: what is read as a record is written as the same bytes, so that
// there is one way to write each.
func FuzzRecords(f *testing.F) {
	signer, _ := testKey(f, "province")
	p := testParts(f, 2, signer)
	for i := range p.months {
		f.Add(byte(framePeriods), p.months[i].append(nil))
	}
	for _, x := range p.pendings {
		f.Add(byte(framePendings), x.append(nil))
	}
	for _, x := range p.floors {
		f.Add(byte(frameFloors), x.append(nil))
	}
	for _, x := range p.balances {
		f.Add(byte(frameBalances), x.append(nil))
	}
	for _, r := range p.records {
		f.Add(byte(0), r.link.append(nil))
	}
	f.Add(byte(frameEnd), bundleCounts{1, 2, 3, 4, 5, 6, 7}.append(nil))
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		c := &cursor{rest: data}
		var again []byte
		switch kind {
		case framePeriods:
			h := readMonthHistory(c)
			again = h.append(nil)
		case framePendings:
			again = readBundlePending(c).append(nil)
		case frameFloors:
			again = readBundleFloor(c).append(nil)
		case frameBalances:
			again = readBundleBalance(c).append(nil)
		case frameEnd:
			again = readBundleCounts(c).append(nil)
		default:
			var l bundleLink
			l.read(c)
			again = l.append(nil)
		}
		if read := data[:len(data)-len(c.rest)]; !c.bad && !bytes.Equal(again, read) {
			t.Errorf("%x was read, %x is written", read, again)
		}
	})
}

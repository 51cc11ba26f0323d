package ledger

import (
	"bytes"
	"errors"
	"testing"
)

func FuzzBundle(f *testing.F) {
	signer, _ := testKey(f, "province")
	bundle := newParts(f, testEntries(f), 2, signer, 3, 7).write(f, 600)
	f.Add(bundle)
	f.Add([]byte(bundleMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		proved(t, data)
	})
}

// FuzzFrame puts arbitrary content into a well-formed frame behind a header.
func FuzzFrame(f *testing.F) {
	signer, key := testKey(f, "province")
	p := newParts(f, testEntries(f), 2, signer, 3, 7)
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

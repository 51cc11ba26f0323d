package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"

	"fundledger/internal/fault"
)

// A bundle is a magic line and frames, each compressed by itself so that
// several can be read at once. docs/bundle.md describes it byte by byte.
const bundleMagic = "fundledger bundle 1\n"

// The frames of a bundle, in their order.
const (
	frameHeader      = 'H' // one: journal, position and rules, JSON
	framePeriods     = 'P' // months of books with what happened to them
	frameCheckpoints = 'C' // signed notes, before the entries that they reach into
	frameEntries     = 'E'
	frameBalances    = 'B'
	frameFloors      = 'F'
	framePendings    = 'R' // pending entries, which reserve
	frameEnd         = 'Z' // one: how much there was
)

const (
	frameHead = 20      // type, three zero bytes, length, stored length, checksum of the content, checksum of this
	maxFrame  = 8 << 20 // content of a frame, in bytes
	aimFrame  = 1 << 18 // content at which a frame is written
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is the head of a frame and its content, compressed.
type frame struct {
	kind   byte
	length int // of the content when it is decompressed
	stored []byte
	sum    uint32
}

// frameWriter writes frames and counts what it has written.
type frameWriter struct {
	to      io.Writer
	encoder *zstd.Encoder
	stored  []byte
	bytes   int64
}

func newFrameWriter(to io.Writer) (*frameWriter, error) {
	// The frame has a checksum of its own, which also tells where a bundle is damaged.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	w := &frameWriter{to: to, encoder: encoder}
	return w, w.write([]byte(bundleMagic))
}

func (w *frameWriter) write(b []byte) error {
	n, err := w.to.Write(b)
	w.bytes += int64(n)
	return err
}

// frame writes one frame; an empty content writes none.
func (w *frameWriter) frame(kind byte, content []byte) error {
	if len(content) == 0 {
		return nil
	}
	if len(content) > maxFrame {
		return fault.New(fault.Internal, "%d bytes do not fit into one frame of a bundle, which holds %d", len(content), maxFrame)
	}
	w.stored = w.encoder.EncodeAll(content, w.stored[:0])
	head := make([]byte, 0, frameHead)
	head = append(head, kind, 0, 0, 0)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(content)))
	head = binary.LittleEndian.AppendUint32(head, uint32(len(w.stored)))
	head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(w.stored, castagnoli))
	head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(head, castagnoli))
	if err := w.write(head); err != nil {
		return err
	}
	return w.write(w.stored)
}

// errDamaged is what cannot be read as a bundle from here on.
var errDamaged = errors.New("is damaged")

// readMagic reads the beginning of a bundle; errDamaged where it is none.
func readMagic(in io.Reader) error {
	magic := make([]byte, len(bundleMagic))
	if _, err := io.ReadFull(in, magic); err != nil {
		return ended(err)
	}
	if string(magic) != bundleMagic {
		return errDamaged
	}
	return nil
}

// readFrame reads the next frame as it is stored, into the room that f has.
// io.EOF after the last; errDamaged where no frame can be found any more.
func readFrame(in io.Reader, f *frame) error {
	var head [frameHead]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return ended(err)
	}
	length, stored := binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[8:])
	if crc32.Checksum(head[:16], castagnoli) != binary.LittleEndian.Uint32(head[16:]) ||
		[3]byte(head[1:4]) != [3]byte{} || length > maxFrame || stored > maxFrame {
		return errDamaged
	}
	f.kind, f.length, f.sum = head[0], int(length), binary.LittleEndian.Uint32(head[12:])
	// Room grows with what arrives, not with what the head promises.
	buffer := bytes.NewBuffer(f.stored[:0])
	n, err := io.CopyN(buffer, in, int64(stored))
	f.stored = buffer.Bytes()
	if err != nil && n < int64(stored) {
		return ended(err)
	}
	return nil
}

// ended turns the end of the input within something into damage.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errDamaged
	}
	return err
}

// frameReader decompresses frames; one at a time.
type frameReader struct {
	decoder *zstd.Decoder
	content []byte
}

func newFrameReader() (*frameReader, error) {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFrame), zstd.WithDecoderLowmem(true))
	return &frameReader{decoder: decoder}, err
}

func (r *frameReader) close() { r.decoder.Close() }

// open returns the content of the frame, valid until the next call, or false
// where the frame is not as it was written.
func (r *frameReader) open(f *frame) ([]byte, bool) {
	if crc32.Checksum(f.stored, castagnoli) != f.sum {
		return nil, false
	}
	content, err := r.decoder.DecodeAll(f.stored, r.content[:0])
	if err != nil || len(content) != f.length {
		return nil, false
	}
	r.content = content
	return content, true
}

package settlement

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"fundledger/internal/fault"
)

// maxLine bounds a line in bytes; a row of the format has some 300.
const maxLine = 64 << 10

// File is a settlement file that can be read more than once.
type File struct {
	Name string // shown to people
	open func() (fs.File, error)
}

// PathFile is a file on disk.
func PathFile(name string) File {
	return File{Name: filepath.Base(name), open: func() (fs.File, error) { return os.Open(name) }}
}

// FSFile is a file of a file system, such as the embedded sample.
func FSFile(files fs.FS, name string) File {
	return File{Name: path.Base(name), open: func() (fs.File, error) { return files.Open(name) }}
}

// content opens the text of the file, out of a zip archive if it is one, and
// tells its size in bytes.
func (f File) content() (io.ReadCloser, int64, error) {
	file, err := f.open()
	if err != nil {
		return nil, 0, fault.New(fault.NotFound, "%s cannot be opened: %w", f.Name, err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("not a regular file, and it must be read twice")
	}
	if err != nil {
		file.Close()
		return nil, 0, fault.New(fault.Invalid, "%s cannot be read: %w", f.Name, err)
	}
	at, ok := file.(io.ReaderAt)
	if !ok {
		return file, info.Size(), nil
	}
	magic := make([]byte, 4)
	if n, _ := at.ReadAt(magic, 0); !bytes.Equal(magic[:n], []byte("PK\x03\x04")) {
		return file, info.Size(), nil
	}
	inner, size, err := f.unzip(at, info.Size())
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return struct {
		io.Reader
		io.Closer
	}{inner, file}, size, nil
}

// unzip opens the only file of the archive.
func (f File) unzip(at io.ReaderAt, size int64) (io.Reader, int64, error) {
	archive, err := zip.NewReader(at, size)
	if err != nil {
		return nil, 0, fault.New(fault.Invalid, "%s begins like a zip archive and cannot be read as one: %w", f.Name, err)
	}
	var files []*zip.File
	for _, entry := range archive.File {
		if !entry.FileInfo().IsDir() {
			files = append(files, entry)
		}
	}
	if len(files) != 1 {
		return nil, 0, fault.New(fault.Invalid, "%s holds %s: a zip must hold exactly one", f.Name, plural(len(files), "file"))
	}
	inner, err := files[0].Open()
	if err != nil {
		return nil, 0, fault.New(fault.Invalid, "%s: %s in the archive cannot be read: %w", f.Name, files[0].Name, err)
	}
	return inner, int64(files[0].UncompressedSize64), nil
}

// sum reads the content through and returns its SHA-256.
func (f File) sum(ctx context.Context) ([]byte, error) {
	content, _, err := f.content()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	hash := sha256.New()
	buffer := make([]byte, 1<<20)
	for {
		n, err := content.Read(buffer)
		hash.Write(buffer[:n])
		if err == io.EOF {
			return hash.Sum(nil), nil
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s cannot be read: %w", f.Name, err)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// rowReader reads the lines of one file in order.
type rowReader struct {
	parser
	name    string
	content io.ReadCloser
	in      *bufio.Reader
	line    int64
	read    int64 // bytes
	size    int64
	ignored []string // columns that nobody knows
}

// rows opens the file and reads its header. Errors: NotFound, Invalid (no
// header, required columns missing, a column twice).
func (f File) rows(rules *rules) (*rowReader, error) {
	content, size, err := f.content()
	if err != nil {
		return nil, err
	}
	r := &rowReader{parser: parser{rules: rules}, name: f.Name, content: content, in: bufio.NewReaderSize(content, maxLine), size: size}
	if err := r.header(); err != nil {
		content.Close()
		return nil, err
	}
	return r, nil
}

func (r *rowReader) header() error {
	text, long, err := r.nextLine()
	if err == io.EOF {
		return fault.New(fault.Invalid, "%s is empty: its first line must name the columns", r.name)
	}
	if err != nil {
		return err
	}
	text = strings.TrimPrefix(text, "\uFEFF")
	if long || strings.ContainsRune(text, 0) {
		return fault.New(fault.Invalid, "%s does not begin with a line of column names", r.name)
	}
	names := strings.Split(text, "\t")
	at := map[string]int{}
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
		if _, twice := at[names[i]]; twice {
			return fault.New(fault.Invalid, "%s names the column %q twice", r.name, names[i])
		}
		at[names[i]] = i
		if !slices.Contains(fieldNames[:], names[i]) {
			r.ignored = append(r.ignored, names[i])
		}
	}
	var missing []string
	for field, name := range fieldNames {
		column, ok := at[name]
		if !ok {
			missing = append(missing, name)
		}
		r.columns[field] = column
	}
	r.width = len(names)
	if len(missing) > 0 {
		return fault.New(fault.Invalid, "%s lacks the columns %s: the first line must name all columns, divided by TAB", r.name, strings.Join(missing, ", "))
	}
	return nil
}

// next returns the next row that is not empty, or io.EOF.
func (r *rowReader) next() (row, error) {
	for {
		text, long, err := r.nextLine()
		if err != nil {
			return row{}, err
		}
		if long {
			return row{line: r.line, digest: digestOf(false, ""), fault: &fieldError{kind: InvalidRow, reason: fmt.Sprintf("the line is longer than %d bytes", maxLine)}}, nil
		}
		if text != "" {
			return r.parse(r.line, text), nil
		}
	}
}

// nextLine returns the next line without its end; of one that is too long,
// only that it is.
func (r *rowReader) nextLine() (text string, long bool, err error) {
	for {
		part, err := r.in.ReadSlice('\n')
		r.read += int64(len(part))
		switch {
		case err == bufio.ErrBufferFull:
			long = true
			continue
		case err == io.EOF && len(part) == 0 && !long:
			return "", false, io.EOF
		case err != nil && err != io.EOF:
			return "", false, fault.New(fault.Invalid, "%s cannot be read after line %d: %w", r.name, r.line, err)
		}
		r.line++
		if long {
			return "", true, nil
		}
		return string(bytes.TrimSuffix(bytes.TrimSuffix(part, []byte("\n")), []byte("\r"))), false, nil
	}
}

func (r *rowReader) close() { r.content.Close() }

// plural writes a number and a noun.
func plural[N int | int64](n N, noun string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

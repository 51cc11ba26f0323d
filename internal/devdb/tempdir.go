package devdb

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

const (
	dirPrefix = "fundledger-devdb-"
	ownerFile = "owner.lock"
)

// tempDir is the directory of one server. Its lock lasts as long as the
// process that made it, so that a later one can tell what was left behind.
type tempDir struct {
	path string
	lock *flock.Flock
}

// newTempDir makes a directory that other users can pass through, because the
// server may run as one of them.
func newTempDir() (*tempDir, error) {
	path, err := os.MkdirTemp(tempRoot(), dirPrefix)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o711); err != nil {
		return nil, err
	}
	dir := &tempDir{path: path, lock: flock.New(filepath.Join(path, ownerFile))}
	return dir, dir.lock.Lock()
}

func (d *tempDir) remove() error {
	return errors.Join(os.RemoveAll(d.path), d.lock.Unlock())
}

// tempRoot is the user's directory for temporary files if other users can get
// to it as well.
func tempRoot() string {
	root := os.TempDir()
	if os.Geteuid() != 0 {
		return root
	}
	for dir := filepath.Clean(root); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return "/tmp"
		}
		if dir == filepath.Dir(dir) {
			return root
		}
	}
}

// sweep removes the directories of processes that were killed.
func sweep() {
	paths, _ := filepath.Glob(filepath.Join(tempRoot(), dirPrefix+"*"))
	for _, path := range paths {
		name := filepath.Join(path, ownerFile)
		info, err := os.Stat(name)
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		lock := flock.New(name)
		if locked, err := lock.TryLock(); err == nil && locked {
			os.RemoveAll(path)
			lock.Unlock()
		}
	}
}

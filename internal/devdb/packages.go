package devdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// installPostgres takes PostgreSQL from the packages of a Debian, one process
// at a time. It starts no service.
func installPostgres(ctx context.Context, options Options) error {
	if os.Geteuid() != 0 {
		return errors.New("not root, so nothing can be installed")
	}
	if _, err := os.Stat("/etc/debian_version"); err != nil {
		return errors.New("this is no Debian, so nothing can be installed")
	}
	lock := flock.New(filepath.Join(os.TempDir(), dirPrefix+"apt.lock"))
	if _, err := lock.TryLockContext(ctx, time.Second); err != nil {
		return err
	}
	defer lock.Unlock()
	if _, ok := findPostgres(); ok {
		return nil // another process was faster
	}
	options.Log("database: neither cockroach nor PostgreSQL is installed, running apt-get install postgresql")
	for _, args := range [][]string{
		{"update"},
		{"install", "-y", "--no-install-recommends", "postgresql"},
	} {
		command := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "DPkg::Lock::Timeout=300"}, args...)...)
		command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, out[max(0, len(out)-1000):])
		}
	}
	return nil
}

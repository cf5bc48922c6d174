package file

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// place is a file being written: under a temporary name in the directory of its final name or, if the path is not a
// regular file, directly.
type place struct {
	*os.File
	path   string // as the user wrote it, for errors
	final  string // where the file will be; path with symbolic links followed
	force  bool
	direct bool // not a regular file: no temporary name, no rename
	shared bool // the process's own standard output or error, which stays open
}

// newPlace opens the place for path. Without force an existing file is an error.
func newPlace(path string, force bool) (*place, error) {
	p := &place{path: path, final: path, force: force}
	if isDirect(path) {
		p.direct = true
		return p, p.openDirect()
	}
	if real, err := Real(path); err == nil {
		p.final = real
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s cannot be written: %w", path, cause(err))
	}
	if err := p.mayReplace(); err != nil {
		return nil, err
	}
	dir, base := filepath.Split(p.final)
	for {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%08x.tmp", base, rand.Uint32()))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s cannot be written: %w", path, cause(err))
		}
		p.File = f
		return p, nil
	}
}

// Check returns an error if Write could not write path; it is called before the work starts. The directory must be
// writable, and the file must not exist unless force is true. A pipe is not opened, since closing it would look to its
// reader like the end of the data.
func Check(path string, force bool) error {
	if isDirect(path) {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%s cannot be written: %w", path, cause(err))
		}
		return nil
	}
	p, err := newPlace(path, force)
	if err != nil {
		return err
	}
	p.abort()
	return nil
}

// Write puts data into a file of that name, whole or not at all. A path that is not a regular file is written directly.
func Write(path string, data []byte, force bool) error {
	p, err := newPlace(path, force)
	if err != nil {
		return err
	}
	if _, err := p.Write(data); err != nil {
		p.abort()
		return p.fault(err)
	}
	return p.commit()
}

// Regular says whether path is, or would be, a regular file: one with a record beside it, written under a temporary
// name.
func Regular(path string) bool { return !isDirect(path) }

// Real is where a file of that name lies, or would lie: path with symbolic links followed, also where the last of them
// leads to nothing yet.
func Real(path string) (string, error) {
	const mostLinks = 40 // as Linux has it
	for range mostLinks {
		dir, base := filepath.Split(strings.TrimRight(path, string(filepath.Separator)))
		dir, err := filepath.EvalSymlinks(dir + ".")
		if err != nil {
			return "", err
		}
		path = filepath.Join(dir, base)
		next, err := os.Readlink(path)
		if err != nil { // no link, or nothing there
			return path, nil
		}
		if path = next; !filepath.IsAbs(next) {
			path = dir + string(filepath.Separator) + next // not cleaned: before .. a link is followed
		}
	}
	return "", errors.New("too many symbolic links")
}

// Tidy removes the temporary files that killed processes have left of path. No other process may be writing it.
func Tidy(path string) error {
	if isDirect(path) {
		return nil
	}
	if real, err := Real(path); err == nil {
		path = real
	}
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir + "."))
	if err != nil {
		return fmt.Errorf("%w", err)
	}
	for _, e := range entries {
		middle, ok := strings.CutPrefix(e.Name(), "."+base+".")
		middle, temp := strings.CutSuffix(middle, ".tmp")
		if _, hex := strconv.ParseUint(middle, 16, 32); ok && temp && len(middle) == 8 && hex == nil {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// isDirect says whether path is a device, a pipe or a descriptor. /dev and /proc count as such even where the shell
// has redirected them to a regular file, because that file is the shell's and not ours to replace.
func isDirect(path string) bool {
	clean := filepath.ToSlash(filepath.Clean(path))
	if strings.HasPrefix(clean, "/dev/") && !strings.HasPrefix(clean, "/dev/shm/") || strings.HasPrefix(clean, "/proc/") {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// openDirect opens a path that is not a regular file. Standard output and error are used as they are: to open them
// anew would write over the start of a file they have been redirected to.
func (p *place) openDirect() (err error) {
	switch filepath.Clean(p.path) {
	case "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1":
		p.File, p.shared = os.Stdout, true
	case "/dev/stderr", "/dev/fd/2", "/proc/self/fd/2":
		p.File, p.shared = os.Stderr, true
	default:
		if p.File, err = os.OpenFile(p.path, os.O_WRONLY, 0); err != nil {
			return fmt.Errorf("%s cannot be written: %w", p.path, cause(err))
		}
	}
	return nil
}

// mayReplace returns an error if the final name exists and may not be overwritten.
func (p *place) mayReplace() error {
	switch info, err := os.Lstat(p.final); {
	case err != nil:
		return nil
	case info.IsDir():
		return fmt.Errorf("%s is a directory", p.path)
	case !p.force:
		return fmt.Errorf("%s exists; use --force to overwrite it", p.path)
	}
	return nil
}

// fault is the error of a failed write, with the path that the user has given.
func (p *place) fault(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("writing %s: %w", p.path, cause(err))
}

// commit syncs the file to the disk and gives it its final name. If it fails no file is left.
func (p *place) commit() error {
	if p.direct {
		return p.fault(p.closeDirect())
	}
	err := p.Sync()
	if e := p.Close(); err == nil {
		err = e
	}
	if err == nil {
		if err = p.mayReplace(); err == nil {
			err = os.Rename(p.Name(), p.final)
		}
	}
	if err != nil {
		os.Remove(p.Name())
		return p.fault(err)
	}
	if dir, err := os.Open(filepath.Dir(p.final)); err == nil { // the new name, too, should survive a power cut
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}

// abort closes the file and removes it.
func (p *place) abort() {
	if p.direct {
		_ = p.closeDirect()
		return
	}
	_ = p.Close()
	os.Remove(p.Name())
}

func (p *place) closeDirect() error {
	if p.shared {
		return nil
	}
	return p.Close()
}

// cause is the reason inside an error of package os, without the operation and the temporary name.
func cause(err error) error {
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch {
	case errors.As(err, &pathErr):
		return pathErr.Err
	case errors.As(err, &linkErr):
		return linkErr.Err
	}
	return err
}

package file

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ReadColumn reads one finite number per element from a .npy file (real numbers of any width, shape (N,) or (N, 1)) or
// per line from a .csv file of one column, whose first line may be a name. Errors tell the line or the element.
func ReadColumn(path string) ([]float64, error) {
	if path == "" {
		return nil, errors.New("no file is named; use .npy or .csv")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, cause(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a directory; name a file in it", path)
	}
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".npy":
		return readNPYColumn(f, path)
	case ".csv":
		return readCSVColumn(f, path)
	}
	return nil, UnknownFormat(path, []string{".npy", ".csv"})
}

// maxLine is the longest line a column of numbers may have.
const maxLine = 1 << 16

// readCSVColumn is ReadColumn for text.
func readCSVColumn(r io.Reader, path string) ([]float64, error) {
	var values []float64
	line := 0
	fail := func(format string, args ...any) ([]float64, error) {
		return nil, fmt.Errorf("%s line %d: "+format, append([]any{path, line}, args...)...)
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for blank := 0; lines.Scan(); {
		line++
		text := strings.TrimSpace(lines.Text())
		if line == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // the mark with which spreadsheets begin UTF-8
		}
		if text == "" { // allowed at the end of the file alone
			blank++
			continue
		}
		if blank > 0 {
			line -= blank
			return fail("the line is empty, a number was expected")
		}
		if i := strings.IndexAny(text, ",;\t"); i >= 0 {
			return fail("%d columns, but one is needed; this would keep the first: cut -d'%c' -f1", 1+strings.Count(text, text[i:i+1]), text[i])
		}
		text = unquote(text)
		v, err := strconv.ParseFloat(text, 64)
		switch {
		case errors.Is(err, strconv.ErrRange):
			return fail("%q does not fit into a double", text)
		case err != nil && line == 1 && isName(text):
			continue
		case err != nil:
			return fail("%q is not a number", text)
		case math.IsNaN(v) || math.IsInf(v, 0):
			return fail("%q is not a finite number", text)
		}
		values = append(values, v)
	}
	if err := lines.Err(); err != nil {
		line++
		return fail("%w", err)
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("%s holds no numbers", path)
	}
	return values, nil
}

func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// isName says whether s can head a column: a mistyped number, such as 1.o5, cannot.
func isName(s string) bool {
	return s != "" && !strings.ContainsRune("+-.0123456789", rune(s[0]))
}

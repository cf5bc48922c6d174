package figure

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"html"
	"strings"
)

// noteSVG puts text into the description of an SVG file.
func noteSVG(data []byte, text string) []byte {
	at := bytes.Index(data, []byte("<svg"))
	if text == "" || at < 0 {
		return data
	}
	at += bytes.IndexByte(data[at:], '>') + 1
	return insert(data, at, []byte("\n<desc>"+html.EscapeString(text)+"</desc>"))
}

// notePNG puts text into a chunk of a PNG file, after the first one: "Description", in Latin-1 as the format has it.
func notePNG(data []byte, text string) []byte {
	const first = 8 + 12 + 13 // signature; length, type and checksum; what the chunk IHDR holds
	coded, ok := western(text)
	if text == "" || !ok || len(data) < first {
		return data
	}
	body := append([]byte("tEXtDescription\x00"), coded...)
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)-4)) // without the type
	chunk = append(chunk, body...)
	return insert(data, first, binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(body)))
}

// notePDF puts text into a comment of a PDF file, after all objects in the file's cross-reference table.
func notePDF(data []byte, text string) []byte {
	at := bytes.LastIndex(data, []byte("startxref"))
	if text == "" || at < 0 {
		return data
	}
	return insert(data, at, []byte("% "+strings.ReplaceAll(text, "\n", " ")+"\n"))
}

func insert(data []byte, at int, part []byte) []byte {
	out := append(make([]byte, 0, len(data)+len(part)), data[:at]...)
	return append(append(out, part...), data[at:]...)
}

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryPublicNameIsExplained: packages, functions, methods, types, constants and variables that go doc shows have a
// comment: above them, on their line, or above their group. Fields need one only where their name and type do not
// suffice, which no test can check; generated files are explained by their generator.
func TestEveryPublicNameIsExplained(t *testing.T) {
	for name := range layers {
		dir := filepath.Join("..", "..", name)
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		explained := false
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, path, text, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			explained = explained || f.Doc != nil
			if ast.IsGenerated(f) {
				continue
			}
			for _, id := range unexplained(f) {
				t.Errorf("%s: %s has no comment", set.Position(id.Pos()), id.Name)
			}
		}
		if !explained {
			t.Errorf("package %s has no comment", name)
		}
	}
}

// unexplained lists the exported names of a file that have no comment.
func unexplained(f *ast.File) (names []*ast.Ident) {
	look := func(name *ast.Ident, comments ...*ast.CommentGroup) {
		for _, c := range comments {
			if c.Text() != "" {
				return
			}
		}
		if name.IsExported() {
			names = append(names, name)
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if public(d.Recv) && !wellKnown[d.Name.Name] {
				look(d.Name, d.Doc)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.ValueSpec:
					for _, name := range s.Names {
						look(name, d.Doc, s.Doc, s.Comment)
					}
				case *ast.TypeSpec:
					look(s.Name, d.Doc, s.Doc, s.Comment)
				}
			}
		}
	}
	return names
}

// wellKnown are methods of interfaces of the standard library.
var wellKnown = map[string]bool{
	"String": true, "Error": true, "Unwrap": true, "Write": true, "Close": true,
	"MarshalJSON": true,
}

// public reports whether a receiver, if there is one, is of an exported type.
func public(recv *ast.FieldList) bool {
	if recv == nil {
		return true
	}
	of := recv.List[0].Type
	if p, ok := of.(*ast.StarExpr); ok {
		of = p.X
	}
	if g, ok := of.(*ast.IndexExpr); ok {
		of = g.X
	}
	name, ok := of.(*ast.Ident)
	return ok && name.IsExported()
}

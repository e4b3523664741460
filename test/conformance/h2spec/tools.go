//go:build tools

// Package tools names the program that the test builds, so that go.mod and go.sum pin it with all that it needs.
package tools

import _ "github.com/summerwind/h2spec/cmd/h2spec"

package main

import "popsim/cmd/popsim/internal/verb"

// call is one call of popsim. Its methods are the verbs.
type call struct{ verb.Call }

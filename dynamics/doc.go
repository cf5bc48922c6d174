// Package dynamics looks at a neuron model as a dynamical system: where it rests, where it oscillates, and at which
// parameters the one turns into the other.
//
// A model with constant input is a vector field. Its equilibria lie on the steady current-voltage relation, a function
// of V alone; they appear and vanish in pairs at folds, and lose stability there or at Hopf points, where a cycle is
// born. Cycles are followed by collocation, which integrates in no direction of time and so passes unharmed through
// the canards of the reduced Hodgkin-Huxley model, where rates of a million per period are common. Because some cycles
// are born from no equilibrium at all, they are also looked for by simulation and, in the plane, by return maps.
// The integrate-and-fire models jump; between two jumps their adaptation is mapped from one reset to the next, and the
// orbits of that map are the firing patterns.
//
// Everything reads the one definition of a model in package model: Deriv, Jacobian and Steady.
// Times are ms, voltages mV, currents the model's own unit.
package dynamics

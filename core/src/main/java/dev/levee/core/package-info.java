/**
 * The vocabulary of Levee: an {@link dev.levee.core.Operation} runs under a {@link dev.levee.core.Policy}; a
 * {@link dev.levee.core.Gate} admits and learns, an {@link dev.levee.core.Around} repeats, delays or replaces, a
 * {@link dev.levee.core.Pipeline} puts several of them in the order in which they are read.
 */
@NullMarked
package dev.levee.core;

import org.jspecify.annotations.NullMarked;

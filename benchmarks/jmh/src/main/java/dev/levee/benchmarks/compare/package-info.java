/** Runs the questions and makes the table: {@link dev.levee.benchmarks.compare.Compare} is the main class. */
@NullMarked
package dev.levee.benchmarks.compare;

import org.jspecify.annotations.NullMarked;

/** The questions about what counts and times calls. */
@NullMarked
package dev.levee.benchmarks.signals;

import org.jspecify.annotations.NullMarked;

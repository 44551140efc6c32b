/** The questions about rate limits, keys, concurrency and queues. */
@NullMarked
package dev.levee.benchmarks.limits;

import org.jspecify.annotations.NullMarked;

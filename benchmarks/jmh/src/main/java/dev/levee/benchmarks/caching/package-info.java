/** The questions about caches: hits, misses, bulk reads, stampedes and writes that the store gets later. */
@NullMarked
package dev.levee.benchmarks.caching;

import org.jspecify.annotations.NullMarked;

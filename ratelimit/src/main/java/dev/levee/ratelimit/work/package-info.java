/**
 * Backpressure: a bounded queue of work with workers, retries, dead letters and, where wanted, an order for each key.
 */
@NullMarked
package dev.levee.ratelimit.work;

import org.jspecify.annotations.NullMarked;

/**
 * Durations as counts in buckets: {@link dev.levee.core.histogram.LatencyHistogram} holds them, for bridges to metrics
 * libraries and for pages that draw them. See ADR 118.
 */
@NullMarked
package dev.levee.core.histogram;

import org.jspecify.annotations.NullMarked;

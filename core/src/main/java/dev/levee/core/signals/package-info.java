/**
 * The golden signals of calls: {@link dev.levee.core.signals.CallMeter} counts and times them.
 * See ADR 118 and ADR 119.
 */
@NullMarked
package dev.levee.core.signals;

import org.jspecify.annotations.NullMarked;

/**
 * Limits of calls in flight before one server that gets too many: the algorithms that ship, those of Netflix
 * concurrency-limits, and the best fixed limit.
 */
@NullMarked
package dev.levee.simulator.concurrency;

import org.jspecify.annotations.NullMarked;

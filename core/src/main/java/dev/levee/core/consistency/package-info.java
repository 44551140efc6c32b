/**
 * How fresh the data must be that a call reads: {@link dev.levee.core.consistency.Consistency}, chosen for each call
 * and carried by its context, and {@link dev.levee.core.consistency.Session}, which remembers what one user has written
 * and seen. Caches, read replicas and sharded stores go by both. See ADR 141.
 */
@NullMarked
package dev.levee.core.consistency;

import org.jspecify.annotations.NullMarked;

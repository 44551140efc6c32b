/**
 * Writes that the store gets later: coalesced, batched, in order for each key, and not lost; start with
 * {@code WriteBehind}.
 */
@NullMarked
package dev.levee.cache.writebehind;

import org.jspecify.annotations.NullMarked;

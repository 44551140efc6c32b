/**
 * Writes that the store gets later: coalesced, batched, in order for each key, and not lost; start with
 * {@code WriteBehind}.
 *
 * <p>Provisional: this module grows in later versions.
 */
@NullMarked
package dev.levee.cache.writebehind;

import org.jspecify.annotations.NullMarked;

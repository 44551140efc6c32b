/**
 * Caches in front of a store; start with {@link dev.levee.cache.Cache}.
 *
 * <p>Provisional: this module grows in later versions.
 */
@NullMarked
package dev.levee.cache;

import org.jspecify.annotations.NullMarked;

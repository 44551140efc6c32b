/**
 * Cache strategies around a store: {@link dev.levee.cache.Cache} is where to begin.
 *
 * <p>Provisional: this module grows in later versions.
 */
@NullMarked
package dev.levee.cache;

import org.jspecify.annotations.NullMarked;

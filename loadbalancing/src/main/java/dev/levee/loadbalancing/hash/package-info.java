/**
 * Consistent hashing: which member of a changing group a key belongs to, with few keys moving when the group changes.
 *
 * <p>Provisional: these types may still change in details before 1.0.
 */
@NullMarked
package dev.levee.loadbalancing.hash;

import org.jspecify.annotations.NullMarked;

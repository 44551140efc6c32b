/**
 * Consistent hashing: which member of a changing group a key belongs to, with few keys moving when the group changes.
 */
@NullMarked
package dev.levee.loadbalancing.hash;

import org.jspecify.annotations.NullMarked;

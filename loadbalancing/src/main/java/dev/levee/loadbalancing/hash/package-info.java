/**
 * Consistent hashing: maps keys to the members of a changing group, and moves few keys when the group changes. Nothing
 * here uses the rest of the module. See ADR 56.
 */
@NullMarked
package dev.levee.loadbalancing.hash;

import org.jspecify.annotations.NullMarked;

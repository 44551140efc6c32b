/** Caches of two tiers: near the caller, and in Redis or Valkey. */
@NullMarked
package dev.levee.redis.cache;

import org.jspecify.annotations.NullMarked;

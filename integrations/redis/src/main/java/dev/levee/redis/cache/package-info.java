/** Caches of two tiers: near the caller, and in Redis or Valkey. Why not in Memcached: ADR 153. */
@NullMarked
package dev.levee.redis.cache;

import org.jspecify.annotations.NullMarked;

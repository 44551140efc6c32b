/** Limits that several processes share, on Redis or Valkey. */
@NullMarked
package dev.levee.redis;

import org.jspecify.annotations.NullMarked;

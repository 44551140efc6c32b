/** Reads from one of several Redis servers: the code of docs/redis-reads.md. */
@NullMarked
package dev.levee.example.redis;

import org.jspecify.annotations.NullMarked;

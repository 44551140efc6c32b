/** Idempotency keys in a database: across processes, and across the death of one of them. */
@NullMarked
package dev.levee.jdbc;

import org.jspecify.annotations.NullMarked;

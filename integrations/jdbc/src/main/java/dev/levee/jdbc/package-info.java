/** Idempotency keys in a database: they are shared by processes, and survive the crash of one. */
@NullMarked
package dev.levee.jdbc;

import org.jspecify.annotations.NullMarked;

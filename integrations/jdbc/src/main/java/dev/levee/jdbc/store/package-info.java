/**
 * Values in a table of a database, behind a cache: {@link dev.levee.jdbc.store.JdbcStore} reads and writes them one by
 * one and in batches. See ADR 154.
 */
@NullMarked
package dev.levee.jdbc.store;

import org.jspecify.annotations.NullMarked;

/**
 * Limits that several processes share by a table of their database: {@link dev.levee.jdbc.limits.JdbcQuotaStore}. See
 * ADR 155.
 */
@NullMarked
package dev.levee.jdbc.limits;

import org.jspecify.annotations.NullMarked;

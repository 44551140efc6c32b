/**
 * Limits that several processes share: {@link dev.levee.ratelimit.shared.SharedLimits} makes them, on a
 * {@link dev.levee.ratelimit.shared.QuotaStore} that an integration brings. See ADR 142.
 */
@NullMarked
package dev.levee.ratelimit.shared;

import org.jspecify.annotations.NullMarked;

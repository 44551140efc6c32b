/** The policies that need nothing but core: retry, timeout, hedge, fallback, bulkhead, idempotency, fault injection. */
@NullMarked
package dev.levee.core.policy;

import org.jspecify.annotations.NullMarked;

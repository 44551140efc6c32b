/** The policies that need nothing but core: retry, timeout, fallback, bulkhead. */
@NullMarked
package dev.levee.core.policy;

import org.jspecify.annotations.NullMarked;

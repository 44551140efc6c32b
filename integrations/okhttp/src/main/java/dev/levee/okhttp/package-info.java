/**
 * Levee inside OkHttp: an interceptor that balances a logical host over its endpoints, tries again elsewhere, hedges,
 * and stops calling what fails.
 *
 * <p>Begin with {@link dev.levee.okhttp.BalancedInterceptor}.
 */
@NullMarked
package dev.levee.okhttp;

import org.jspecify.annotations.NullMarked;

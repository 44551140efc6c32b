/**
 * Levee around Apache HttpClient 5: a client that balances a logical host over its endpoints, tries again elsewhere,
 * hedges, and stops calling what fails.
 *
 * <p>Begin with {@link dev.levee.httpclient5.BalancedApacheClient}.
 */
@NullMarked
package dev.levee.httpclient5;

import org.jspecify.annotations.NullMarked;

/**
 * HTTP clients that balance a logical host over its endpoints, try again elsewhere, hedge, and stop calling what fails.
 *
 * <p>{@link dev.levee.http.BalancedHttpClient} is a {@code java.net.http.HttpClient}; {@link dev.levee.http.Upstream}
 * does the same for any other client through a {@link dev.levee.http.Transport}.
 */
@NullMarked
package dev.levee.http;

import org.jspecify.annotations.NullMarked;

/**
 * Rate limits for the clients of an HTTP server: {@link dev.levee.http.server.RateLimitFilter} for servlet containers,
 * {@link dev.levee.http.server.ExchangeRateLimitFilter} for the server of the JDK.
 */
@NullMarked
package dev.levee.http.server;

import org.jspecify.annotations.NullMarked;

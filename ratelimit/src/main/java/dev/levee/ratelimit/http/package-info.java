/**
 * What HTTP says of rate limits, without a server or client: values of headers, and the address of a client.
 *
 * <p>{@link dev.levee.ratelimit.http.HeaderStyle} chooses the headers that tell a client its limit,
 * {@link dev.levee.ratelimit.http.RateLimitField}, {@link dev.levee.ratelimit.http.RateLimitPolicyField} and
 * {@link dev.levee.ratelimit.http.RetryAfterField} write and read them, and
 * {@link dev.levee.ratelimit.http.ClientAddresses} says which client a request is from.
 */
@NullMarked
package dev.levee.ratelimit.http;

import org.jspecify.annotations.NullMarked;

/**
 * Spring's HTTP clients with balancing, retries elsewhere and deadlines, and filters that take deadlines in.
 *
 * <p>{@link dev.levee.spring.web.ClientGuard} holds what a client needs; {@link dev.levee.spring.web.GuardedRequests}
 * puts it into {@code RestClient}, {@code RestTemplate} and the HTTP interfaces on them.
 */
@NullMarked
package dev.levee.spring.web;

import org.jspecify.annotations.NullMarked;

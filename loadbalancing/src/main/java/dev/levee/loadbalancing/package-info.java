/**
 * Client-side load balancing: the balancer, and the health of its endpoints.
 *
 * <p>{@link dev.levee.loadbalancing.LoadBalancer} sends each call to one endpoint;
 * {@link dev.levee.loadbalancing.HealthConfig} configures which endpoints are left out. How an endpoint is picked is in
 * {@link dev.levee.loadbalancing.strategy}, where endpoints come from in {@link dev.levee.loadbalancing.discovery}, and
 * consistent hashing in {@link dev.levee.loadbalancing.hash}. Nothing here knows a transport: an address is whatever
 * the client needs, and the exchange with it is the user's own code.
 *
 * <p>Where to begin reading: {@code SnapshotBalancer} is the path of a call, {@code Membership} that of a changed set,
 * and {@code HealthMonitor} lists the order of events in which an endpoint is ejected. See ADR 56.
 */
@NullMarked
package dev.levee.loadbalancing;

import org.jspecify.annotations.NullMarked;

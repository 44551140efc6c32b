/**
 * Client-side load balancing: which of several endpoints a call goes to.
 *
 * <p>{@link dev.levee.loadbalancing.LoadBalancer} picks, {@link dev.levee.loadbalancing.BalancingStrategy} decides how,
 * {@link dev.levee.loadbalancing.EndpointSource} says among whom. Nothing here knows a transport: an address is whatever the
 * user's client needs, and the exchange with it is the user's own code.
 */
@NullMarked
package dev.levee.loadbalancing;

import org.jspecify.annotations.NullMarked;

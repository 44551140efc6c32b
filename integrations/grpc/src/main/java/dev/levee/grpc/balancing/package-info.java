/**
 * Load balancing inside a gRPC channel, with the strategies and the health of {@link dev.levee.loadbalancing}:
 * {@link dev.levee.grpc.balancing.LeveeLoadBalancerProvider}.
 *
 * <p>gRPC's API of load balancers is experimental ({@code @ExperimentalApi}): it may change with any minor version of
 * gRPC. All that depends on it is in this package, which is tested with the version that Levee's build names, and may
 * change with it.
 */
@NullMarked
package dev.levee.grpc.balancing;

import org.jspecify.annotations.NullMarked;

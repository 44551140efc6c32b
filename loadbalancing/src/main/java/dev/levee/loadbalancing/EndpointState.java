package dev.levee.loadbalancing;

/**
 * How an endpoint stood when {@link LoadBalancer#snapshot} was asked. Provisional: components may be added.
 *
 * @param endpoint the endpoint, with the weight that is in force
 * @param inFlight how many calls are in flight there, 0 or more
 * @param picks how many calls have been sent there since it joined; -1 unless {@link LoadBalancerConfig.Builder#totals} is on
 * @param latencyNanos what the strategy believes a call takes there, in nanoseconds; -1 if it does not know
 * @param draining whether it gets no new calls because its weight is 0
 * @param <A> the type of the address
 * @since 0.1
 */
public record EndpointState<A>(Endpoint<A> endpoint, int inFlight, long picks, long latencyNanos, boolean draining) {}

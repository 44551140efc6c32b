package dev.levee.loadbalancing;

import dev.levee.loadbalancing.discovery.Endpoint;

/**
 * How an endpoint stood when {@link LoadBalancer#snapshot} was asked. Components may be added.
 *
 * @param endpoint the endpoint, with the weight that is in force
 * @param inFlight how many calls are in flight there, 0 or more
 * @param picks how many calls have been sent there since it joined; -1 unless {@link LoadBalancerConfig.Builder#totals} is on
 * @param latencyNanos what the strategy believes a call takes there, in nanoseconds; -1 if it does not know
 * @param state what its health is; {@link HealthState#HEALTHY} if nobody watches it
 * @param weight its share at present: its weight, less what slow start holds back
 * @param ejections how often it has been ejected since it joined
 * @param why the reason that it is left out, in words; empty if it is not
 * @param <A> the type of the address
 * @since 0.1
 */
public record EndpointState<A>(
        Endpoint<A> endpoint,
        int inFlight,
        long picks,
        long latencyNanos,
        HealthState state,
        double weight,
        long ejections,
        String why) {
    /**
     * Whether it gets no new calls because its weight is 0.
     *
     * @return whether the state is {@link HealthState#DRAINING}
     */
    public boolean draining() {
        return state == HealthState.DRAINING;
    }
}

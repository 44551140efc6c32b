package dev.levee.loadbalancing;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.Objects;

/**
 * The state of one endpoint at the moment of a {@link LoadBalancer#snapshot}. Immutable.
 *
 * @param <A> the type of the address
 * @since 0.1
 */
public final class EndpointState<A> {
    private final Endpoint<A> endpoint;
    private final int inFlight;
    private final long picks;
    private final long latencyNanos;
    private final HealthState state;
    private final double weight;
    private final long ejections;
    private final String why;

    EndpointState(
            Endpoint<A> endpoint,
            int inFlight,
            long picks,
            long latencyNanos,
            HealthState state,
            double weight,
            long ejections,
            String why) {
        this.endpoint = endpoint;
        this.inFlight = inFlight;
        this.picks = picks;
        this.latencyNanos = latencyNanos;
        this.state = state;
        this.weight = weight;
        this.ejections = ejections;
        this.why = why;
    }

    /**
     * Returns the endpoint, with the weight that discovery gave it.
     *
     * @return the endpoint
     */
    public Endpoint<A> endpoint() {
        return endpoint;
    }

    /**
     * Returns how many calls are in flight at the endpoint.
     *
     * @return 0 or more
     */
    public int inFlight() {
        return inFlight;
    }

    /**
     * Returns how many calls have been sent to the endpoint since it joined.
     *
     * @return the number; -1 unless {@link LoadBalancerConfig.Builder#totals} is on
     */
    public long picks() {
        return picks;
    }

    /**
     * Returns how long the strategy expects a call to take there.
     *
     * @return nanoseconds; -1 if the strategy does not know
     */
    public long latencyNanos() {
        return latencyNanos;
    }

    /**
     * Returns the health of the endpoint.
     *
     * @return the state; {@link HealthState#HEALTHY} or {@link HealthState#DRAINING} if health is not watched
     */
    public HealthState state() {
        return state;
    }

    /**
     * Returns the weight of the endpoint at present: that of {@link #endpoint}, less what slow start holds back.
     *
     * @return 0 or more
     */
    public double weight() {
        return weight;
    }

    /**
     * Returns how often the endpoint has been ejected since it joined.
     *
     * @return 0 or more
     */
    public long ejections() {
        return ejections;
    }

    /**
     * Returns why the endpoint is left out.
     *
     * @return the reason in words; empty if it is not left out
     */
    public String why() {
        return why;
    }

    /**
     * Returns whether the endpoint gets no new calls because its weight is 0.
     *
     * @return whether the state is {@link HealthState#DRAINING}
     */
    public boolean draining() {
        return state == HealthState.DRAINING;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof EndpointState<?> that
                && endpoint.equals(that.endpoint)
                && inFlight == that.inFlight
                && picks == that.picks
                && latencyNanos == that.latencyNanos
                && state == that.state
                && Double.compare(weight, that.weight) == 0
                && ejections == that.ejections
                && why.equals(that.why);
    }

    @Override
    public int hashCode() {
        return Objects.hash(endpoint, inFlight, picks, latencyNanos, state, weight, ejections, why);
    }

    @Override
    public String toString() {
        return "EndpointState[endpoint=" + endpoint + ", inFlight=" + inFlight + ", picks=" + picks + ", latencyNanos="
                + latencyNanos + ", state=" + state + ", weight=" + weight + ", ejections=" + ejections + ", why=" + why
                + "]";
    }
}

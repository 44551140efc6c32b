package dev.levee.loadbalancing;

/**
 * How an endpoint stands with a balancer that watches health; see {@link LoadBalancerConfig.Builder#health}.
 *
 * <p>If several apply, the one that is listed first is told.
 *
 * @since 0.1
 */
public enum HealthState {
    /** Gets no new calls because its weight is 0; calls in flight end. */
    DRAINING,
    /** Checks say that it does not work, or it has not been checked yet and must be. */
    UNHEALTHY,
    /** Calls went so badly that it is left out for a time. */
    EJECTED,
    /** Usable, with a share that grows until its slow start is over. */
    WARMING,
    /** Usable; that is also what an endpoint is that nobody watches. */
    HEALTHY
}

package dev.levee.loadbalancing;

/**
 * The health of an endpoint, for a balancer that watches it; see {@link LoadBalancerConfig.Builder#health}.
 *
 * <p>If several apply, the one that is listed first is reported.
 *
 * @since 0.1
 */
public enum HealthState {
    /** Gets no new calls because its weight is 0; calls in flight end. */
    DRAINING,
    /** Checks have failed, or it has not been checked yet and must be. */
    UNHEALTHY,
    /** Calls failed so often that it is left out for a time. */
    EJECTED,
    /** Usable, with a share that grows until its slow start is over. */
    WARMING,
    /** Usable; also the state of an endpoint whose health is not watched. */
    HEALTHY
}

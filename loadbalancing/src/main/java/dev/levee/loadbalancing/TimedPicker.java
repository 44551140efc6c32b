package dev.levee.loadbalancing;

/** A picker that needs the time: the balancer, which reads it for each call anyway, hands it over instead of having it read again. */
interface TimedPicker extends BalancingStrategy.Picker {
    /** As {@link #pick(long)}, at this time of the balancer's clock. */
    int pickAt(long hash, long nowNanos);
}

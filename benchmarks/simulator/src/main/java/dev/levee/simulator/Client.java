package dev.levee.simulator;

/** One client of many: it has its own balancer and knows nothing of the others. */
@FunctionalInterface
public interface Client {
    /** Makes a call that is meant to start now. */
    void call(double work, long key);
}

package dev.levee.simulator;

import java.util.SplittableRandom;

/**
 * Calls that come when they come, whatever became of those before: a Poisson process whose rate may change at any time,
 * for ramps. Because it has no memory, drawing the next arrival anew when the rate changes is exact.
 */
public final class Arrivals {
    private final VirtualTime time;
    private final SplittableRandom random;
    private final Runnable arrive;
    private final Event next = Event.of(this::next);
    private double perSecond;

    /** Arrivals at that rate, from now on. */
    public Arrivals(World world, double perSecond, Runnable arrive) {
        this.time = world.time();
        this.random = world.random("arrivals");
        this.arrive = arrive;
        setRate(perSecond);
    }

    /** Sets the rate; 0 stops them. */
    public void setRate(double value) {
        perSecond = value;
        expect();
    }

    /** The rate now, in calls per second. */
    public double rate() {
        return perSecond;
    }

    private void next() {
        expect();
        arrive.run();
    }

    private void expect() {
        if (perSecond > 0) {
            time.after((long) (random.nextExponential() * 1e9 / perSecond), next);
        } else {
            time.cancel(next);
        }
    }
}

package dev.levee.simulator;

import java.util.SplittableRandom;

/**
 * Calls that come when they come, whatever became of those before: a Poisson process whose rate may change at any time, which makes
 * ramps and bursts (a Markov-modulated Poisson process) of it. Because it has no memory, drawing the next arrival anew when the
 * rate changes is exact.
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

    /** Multiplies the rate in bursts: quiet and burst follow each other, both of exponential length with these means. */
    public Arrivals burst(double factor, long quietNanos, long burstNanos) {
        double quiet = perSecond;
        Event toggle = new Event() {
            private boolean bursting;

            @Override
            protected void happen() {
                bursting = !bursting;
                setRate(bursting ? quiet * factor : quiet);
                time.after((long) (random.nextExponential() * (bursting ? burstNanos : quietNanos)), this);
            }
        };
        time.after((long) (random.nextExponential() * quietNanos), toggle);
        return this;
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

package dev.levee.simulator;

import java.util.function.DoubleUnaryOperator;

/**
 * A server that replays latencies, however many calls it has: the work of a call is how long it takes. Flatters
 * strategies that count calls in flight, as nothing queues; for published scenarios that are made so, and for a latency
 * profile that was captured.
 */
public final class ReplayServer extends Server {
    private DoubleUnaryOperator latency = work -> work;
    private double speed = 1;

    /** A server that takes as long as a call says. */
    public ReplayServer(World world, String name) {
        super(world, name);
    }

    @Override
    protected void accept(Call call) {
        call.serveFor(time(), (long) Math.ceil(latency.applyAsDouble(call.work) / speed), true);
    }

    /** Sets what the calls that come from now on take, in nanoseconds, given what they would take. */
    public void setLatency(DoubleUnaryOperator value) {
        latency = value;
    }

    @Override
    public void setSpeed(double value) {
        if (!(value > 0)) {
            throw new IllegalArgumentException("speed must be more than 0, but was " + value);
        }
        speed = value;
    }

    @Override
    public double expectedNanos(double work) {
        return latency.applyAsDouble(work) / speed;
    }
}

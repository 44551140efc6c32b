package dev.levee.simulator;

import java.util.ArrayDeque;

/**
 * A server whose cores take one call each, in the order in which they came; the others wait, and a call for which the
 * queue has no place is refused at once. A change of speed holds for the calls that start after it.
 */
public final class QueueServer extends Server {
    private final ArrayDeque<Call> waiting = new ArrayDeque<>();
    private final int cores;
    private final int places;
    private double speed = 1;
    private int busy;
    private double waitingWork;
    private long refused;

    /** A server with a number of cores and of places to wait. */
    public QueueServer(World world, String name, int cores, int places) {
        super(world, name);
        this.cores = cores;
        this.places = places;
    }

    @Override
    protected void accept(Call call) {
        if (busy < cores) {
            start(call);
        } else if (waiting.size() < places) {
            waitingWork += call.work;
            waiting.add(call);
        } else {
            refused++;
            call.served(false);
        }
    }

    private void start(Call call) {
        busy++;
        call.serveFor(time(), (long) Math.ceil(call.work / speed), true);
    }

    @Override
    protected void ended(Call call) {
        busy--;
        Call next = waiting.poll();
        if (next != null) {
            waitingWork -= next.work;
            start(next);
        }
    }

    @Override
    public void setSpeed(double value) {
        if (!(value > 0)) {
            throw new IllegalArgumentException("speed must be more than 0, but was " + value);
        }
        speed = value;
    }

    /** Counts the calls in service as whole ones: what is left of each is not looked at. */
    @Override
    public double expectedNanos(double work) {
        double ahead = busy < cores ? 0 : waitingWork + work * busy;
        return (work + ahead / cores) / speed;
    }

    /** How many calls it has refused. */
    public long refused() {
        return refused;
    }
}

package dev.levee.simulator;

import org.jspecify.annotations.Nullable;

/**
 * One call on its way: to the server over the network, in service there, and back. It is the event of whatever it waits for next, so
 * a call that takes three events makes no object but itself.
 */
public abstract class Call extends Event {
    private enum Stage {
        THERE,
        SERVICE,
        BACK
    }

    private @Nullable VirtualTime time;
    private @Nullable Server server;
    private Stage stage = Stage.THERE;
    private boolean succeeded;
    private long oneWay;

    /** How long it takes a core of speed 1, in nanoseconds. */
    double work;

    /** For whom or what; servers with a cache look at it. */
    long key;

    /** At which virtual time of a sharing server it will be done. */
    double finish;

    /** Sends it to a server that is so many nanoseconds away. */
    protected final void send(VirtualTime clock, Server to, double workNanos, long keyOfCall, long oneWayNanos) {
        time = clock;
        server = to;
        work = workNanos;
        key = keyOfCall;
        oneWay = oneWayNanos;
        stage = Stage.THERE;
        if (oneWayNanos == 0) {
            happen();
        } else {
            clock.after(oneWayNanos, this);
        }
    }

    /** Lets the call itself be the event of the end of its service. */
    final void serveFor(VirtualTime clock, long nanos, boolean success) {
        succeeded = success;
        stage = Stage.SERVICE;
        clock.after(nanos, this);
    }

    /** The server is done with it. */
    final void served(boolean success) {
        succeeded = success;
        stage = Stage.BACK;
        if (oneWay == 0 || time == null) {
            answered(success);
        } else {
            time.after(oneWay, this);
        }
    }

    @Override
    protected final void happen() {
        if (server == null) {
            throw new IllegalStateException("a call happens before it was sent");
        }
        switch (stage) {
            case THERE -> {
                stage = Stage.SERVICE;
                server.receive(this);
            }
            case SERVICE -> {
                boolean success = succeeded;
                server.finished(this, success);
                served(success);
            }
            case BACK -> answered(succeeded);
        }
    }

    /** The answer has come back. */
    protected abstract void answered(boolean success);
}

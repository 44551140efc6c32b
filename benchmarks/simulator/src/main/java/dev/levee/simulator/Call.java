package dev.levee.simulator;

import dev.levee.loadbalancing.strategy.ServerLoad;
import org.jspecify.annotations.Nullable;

/**
 * One call on its way: to the server over the network, in service there, and back. It is the event of whatever it waits
 * for next, so a call that takes three events makes no object but itself.
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

    /** The key of the call; servers with a cache use it. */
    long key;

    /** What the server's record of its load gave it when it came, and when that was. */
    long stamp;

    long arrived;

    private @Nullable ServerLoad load;

    /** At which virtual time of a sharing server it will be done. */
    double finish;

    /** Sends it to a server at a distance in nanoseconds. */
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

    /** The server says how busy it is. */
    final void reportLoad(ServerLoad value) {
        load = value;
    }

    /** The server is done with it. */
    final void served(boolean success) {
        if (server != null) {
            server.left(this, success);
        }
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
                server.finished(this, succeeded);
                served(succeeded);
            }
            case BACK -> answered(succeeded);
        }
    }

    /** What the answer says about the load of the server; null if it says nothing. */
    protected final @Nullable ServerLoad load() {
        return load;
    }

    /** The answer has come back. */
    protected abstract void answered(boolean success);
}

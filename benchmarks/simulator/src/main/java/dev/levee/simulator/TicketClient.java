package dev.levee.simulator;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.Ticket;
import dev.levee.loadbalancing.strategy.ServerLoad;
import java.util.ArrayDeque;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * A client that takes a ticket for each call and tries once. If it gives up after a time, it closes the ticket with a
 * failure, and the server goes on with the call all the same, as most servers do. Makes no garbage but the tickets.
 */
public final class TicketClient implements Client {
    /** The result of every good call. */
    public static final Object ANSWER = new Object();

    /** Sees every call come and go. */
    public interface Watch {
        /** Sees nothing. */
        Watch NONE = new Watch() {};

        /** A call for a key has been promised to a server. */
        default void picked(long key, Server server) {}

        /** A call at a server has ended for the client. */
        default void ended(Server server) {}

        /** A call that was meant to start then has been refused by the balancer. */
        default void refused(long intended) {}
    }

    private final VirtualTime time;
    private final LoadBalancer<Server> balancer;
    private final Recorder recorder;
    private final ToLongFunction<Server> oneWayNanos;
    private final long timeoutNanos;
    private final boolean keyed;
    private final Watch watch;
    private final @Nullable Stalls stalls;
    private final ArrayDeque<Attempt> idle = new ArrayDeque<>();

    /** A client at that distance, which gives up after that long; Long.MAX_VALUE: never. */
    public TicketClient(
            World world, LoadBalancer<Server> balancer, Recorder recorder, long oneWayNanos, long timeoutNanos) {
        this(world, balancer, recorder, server -> oneWayNanos, timeoutNanos, false, Watch.NONE);
    }

    /** A client with a distance to each server, with or without keys, whose calls are recorded. */
    public TicketClient(
            World world,
            LoadBalancer<Server> balancer,
            Recorder recorder,
            ToLongFunction<Server> oneWayNanos,
            long timeoutNanos,
            boolean keyed,
            Watch watch) {
        this(world, balancer, recorder, oneWayNanos, timeoutNanos, keyed, watch, null);
    }

    /** A client as above, whose process stands still at times: its calls, time-outs and answers wait meanwhile. */
    public TicketClient(
            World world,
            LoadBalancer<Server> balancer,
            Recorder recorder,
            ToLongFunction<Server> oneWayNanos,
            long timeoutNanos,
            boolean keyed,
            Watch watch,
            @Nullable Stalls stalls) {
        this.time = world.time();
        this.balancer = balancer;
        this.recorder = recorder;
        this.oneWayNanos = oneWayNanos;
        this.timeoutNanos = timeoutNanos;
        this.keyed = keyed;
        this.watch = watch;
        this.stalls = stalls;
    }

    @Override
    public void call(double work, long key) {
        recorder.opened();
        long now = time.now();
        if (done(now) > now) {
            time.at(done(now), Event.of(() -> begin(work, key, now)));
        } else {
            begin(work, key, now);
        }
    }

    private void begin(double work, long key, long intended) {
        Attempt attempt = idle.poll();
        (attempt == null ? new Attempt() : attempt).begin(work, key, intended);
    }

    /** When the client does what is due then. */
    private long done(long due) {
        return stalls == null ? due : stalls.done(due);
    }

    private final class Attempt extends Call {
        private final Event giveUp = Event.of(this::giveUp);
        private @Nullable Ticket<Server> ticket;
        private long intended;

        void begin(double work, long key, long meantFor) {
            intended = meantFor;
            Ticket<Server> taken;
            try {
                taken = keyed ? balancer.forKey(key).pick() : balancer.pick();
            } catch (RuntimeException refused) { // no endpoint, or every one refuses
                watch.refused(intended);
                recorder.ended(intended, false);
                idle.push(this);
                return;
            }
            ticket = taken;
            watch.picked(key, taken.endpoint().address());
            if (timeoutNanos != Long.MAX_VALUE) {
                time.at(done(time.now() + timeoutNanos), giveUp);
            }
            Server server = taken.endpoint().address();
            send(time, server, work, key, oneWayNanos.applyAsLong(server));
        }

        @Override
        protected void answered(boolean success) {
            long now = time.now();
            if (done(now) > now) {
                time.at(done(now), this); // it is read when the stall is over
                return;
            }
            if (ticket != null) {
                time.cancel(giveUp);
                end(success ? result() : null, success ? null : new CallFailed("the server failed"));
            }
            idle.push(this);
        }

        private Object result() {
            ServerLoad load = load();
            return load == null ? ANSWER : load;
        }

        private void giveUp() {
            end(null, new CallFailed("given up"));
        }

        private void end(@Nullable Object result, @Nullable Throwable error) {
            if (ticket != null) {
                watch.ended(ticket.endpoint().address());
                ticket.complete(result, error);
                ticket = null;
            }
            recorder.ended(intended, error == null);
        }
    }
}

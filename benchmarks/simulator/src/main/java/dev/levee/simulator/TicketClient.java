package dev.levee.simulator;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.Ticket;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * A client that takes a ticket for each call and tries once. If it gives up after a time, it closes the ticket with a failure, and the
 * server goes on with the call all the same, as most servers do. Makes no garbage but the tickets.
 */
public final class TicketClient implements Client {
    /** The result of every good call. */
    public static final Object ANSWER = new Object();

    private final VirtualTime time;
    private final LoadBalancer<Server> balancer;
    private final Recorder recorder;
    private final long oneWayNanos;
    private final long timeoutNanos;
    private final boolean keyed;
    private final ArrayDeque<Attempt> idle = new ArrayDeque<>();

    /** A client at that distance, which gives up after that long; Long.MAX_VALUE: never. */
    public TicketClient(
            World world, LoadBalancer<Server> balancer, Recorder recorder, long oneWayNanos, long timeoutNanos) {
        this(world, balancer, recorder, oneWayNanos, timeoutNanos, false);
    }

    /** A client that tells the balancer the keys of its calls, or does not. */
    public TicketClient(
            World world,
            LoadBalancer<Server> balancer,
            Recorder recorder,
            long oneWayNanos,
            long timeoutNanos,
            boolean keyed) {
        this.time = world.time();
        this.balancer = balancer;
        this.recorder = recorder;
        this.oneWayNanos = oneWayNanos;
        this.timeoutNanos = timeoutNanos;
        this.keyed = keyed;
    }

    @Override
    public void call(double work, long key) {
        recorder.opened();
        Attempt attempt = idle.poll();
        (attempt == null ? new Attempt() : attempt).begin(work, key);
    }

    private final class Attempt extends Call {
        private final Event giveUp = Event.of(this::giveUp);
        private @Nullable Ticket<Server> ticket;
        private long intended;

        void begin(double work, long key) {
            intended = time.now();
            Ticket<Server> taken;
            try {
                taken = keyed ? balancer.pick(key) : balancer.pick();
            } catch (RuntimeException refused) { // no endpoint, or every one refuses
                recorder.ended(intended, false);
                idle.push(this);
                return;
            }
            ticket = taken;
            if (timeoutNanos != Long.MAX_VALUE) {
                time.after(timeoutNanos, giveUp);
            }
            send(time, taken.endpoint().address(), work, key, oneWayNanos);
        }

        @Override
        protected void answered(boolean success) {
            if (ticket != null) {
                time.cancel(giveUp);
                end(success ? ANSWER : null, success ? null : new CallFailed("the server failed"));
            }
            idle.push(this);
        }

        private void giveUp() {
            end(null, new CallFailed("given up"));
        }

        private void end(@Nullable Object result, @Nullable Throwable error) {
            if (ticket != null) {
                ticket.complete(result, error);
                ticket = null;
            }
            recorder.ended(intended, error == null);
        }
    }
}

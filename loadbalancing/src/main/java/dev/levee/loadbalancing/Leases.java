package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Timers;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes back the tickets that nobody closes, and counts them. */
final class Leases {
    private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);

    private final String balancer;
    private final long leaseNanos;
    private final Environment environment;
    private final @Nullable Timers timers;
    private final LongAdder expired = new LongAdder();

    Leases(String balancer, long leaseNanos, Environment environment) {
        this.balancer = balancer;
        this.leaseNanos = leaseNanos;
        this.environment = environment;
        this.timers = environment.scheduler() instanceof Timers own && own.clock() == environment.clock() ? own : null;
    }

    /** Starts the lease of a ticket; null if leases never end. */
    @Nullable Lease begin(Ticket<?> ticket) {
        return leaseNanos >= Nanos.NEVER ? null : new Lease(this, ticket).begin();
    }

    /** How many tickets nobody closed in time. */
    long expired() {
        return expired.sum();
    }

    /** Until when one ticket may be open. */
    static final class Lease implements Runnable {
        private final Leases leases;
        private final Ticket<?> ticket;
        private long place;
        private Scheduler.@Nullable Timer timer;

        private Lease(Leases leases, Ticket<?> ticket) {
            this.leases = leases;
            this.ticket = ticket;
        }

        private Lease begin() {
            Environment environment = leases.environment;
            Timers timers = leases.timers;
            if (timers == null) {
                timer = environment.scheduler().schedule(this, leases.leaseNanos);
            } else {
                place = timers.set(this, environment.clock().nanoTime(), leases.leaseNanos);
            }
            return this;
        }

        /** The ticket was closed. */
        void end() {
            Timers timers = leases.timers;
            if (timers != null) {
                timers.take(place, this);
            } else if (timer != null) {
                timer.cancel();
            }
        }

        @Override
        public void run() {
            if (ticket.expire()) {
                leases.expired.increment();
                LOG.warn(
                        "{}: a ticket for {} was not closed within {} s; it no longer counts as in flight",
                        leases.balancer,
                        ticket.endpoint().id(),
                        leases.leaseNanos / 1_000_000_000L);
            }
        }
    }
}

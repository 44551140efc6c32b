package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Timers;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The leases of a balancer's tickets: closes tickets that were not closed within their lease, and counts them. See ADR
 * 39.
 */
final class Leases {
    private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);

    private final String balancer;
    private final long leaseNanos;
    private final Environment environment;
    /** The timers of the environment if they are our own and in its time; otherwise null. */
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

    /** How many tickets were not closed within their lease. */
    long expired() {
        return expired.sum();
    }

    /** The lease of one ticket: a timer, which is cancelled when the ticket is closed. */
    static final class Lease implements Runnable {
        private final Leases leases;
        private final Ticket<?> ticket;
        /** The number of the timer, if the timers are our own. */
        private long timerNumber;
        /** The timer, if they are not. */
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
                timerNumber = timers.set(this, environment.clock().nanoTime(), leases.leaseNanos);
            }
            return this;
        }

        /** Cancels the timer, since the ticket was closed. */
        void end() {
            Timers timers = leases.timers;
            if (timers != null) {
                timers.take(timerNumber, this);
            } else if (timer != null) {
                try {
                    timer.cancel();
                } catch (Throwable thrown) { // by a scheduler of a user: the ticket must be closed nevertheless
                    SafeLog.warn(
                            LOG,
                            "balancer \"{}\": the lease of a ticket for {} could not be cancelled",
                            leases.balancer,
                            ticket.label(),
                            thrown);
                }
            }
        }

        /** The lease has expired, says the timer, whose thread must not run what a ticket tells gates and listeners. */
        @Override
        public void run() {
            leases.environment.handOver(this::expire);
        }

        /** Closes the ticket. */
        private void expire() {
            boolean first = false;
            Throwable failure = null;
            try {
                first = ticket.expire();
            } catch (Throwable thrown) { // by a gate or a strategy of a user
                failure = thrown;
            }
            if (first || failure != null) {
                leases.expired.increment();
                SafeLog.warn(
                        LOG,
                        "balancer \"{}\": a ticket for {} was not closed within {} s; it no longer counts as in flight",
                        leases.balancer,
                        ticket.label(),
                        leases.leaseNanos / 1_000_000_000L,
                        failure);
            }
        }
    }
}

package dev.levee.loadbalancing;

import dev.levee.core.Outcomes;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A call that a {@link LoadBalancer} has admitted to an endpoint: it counts as in flight there until the ticket is
 * closed.
 *
 * <p>For code that cannot hand over a lambda, such as an event loop; otherwise {@link LoadBalancer#call} is simpler and
 * allocates nothing. However often and from however many threads a ticket is closed, the first time counts and the
 * others do nothing. A ticket that is not closed is closed by the balancer at the end of its
 * {@linkplain LoadBalancerConfig.Builder#lease lease}. Thread-safe; does not block.
 *
 * @param <A> the type of the address
 * @since 0.1
 */
public final class Ticket<A> implements AutoCloseable {
    private static final VarHandle CLOSED = Handles.field(MethodHandles.lookup(), "closed", boolean.class);

    private final Endpoint<A> endpoint;
    private final Node<A> node;
    private final long stamp;
    private final long start;
    /** What the strategy wants back when the call ends. */
    private final long token;
    /** Null if leases never end. */
    private final Leases.@Nullable Lease lease;

    @SuppressWarnings("UnusedVariable") // written through CLOSED
    private volatile boolean closed;

    Ticket(Endpoint<A> endpoint, Node<A> node, long stamp, long start, Leases leases) {
        this.endpoint = endpoint;
        this.node = node;
        this.stamp = stamp;
        this.start = start;
        this.token = node.begin(stamp, start);
        this.lease = beginLease(leases);
    }

    private Leases.@Nullable Lease beginLease(Leases leases) {
        try {
            return leases.begin(this);
        } catch (Throwable rejected) { // by a scheduler of a user, which may have kept the timer all the same
            expire();
            throw rejected;
        }
    }

    /**
     * Returns the endpoint that the call goes to.
     *
     * @return the endpoint as it was when it was picked
     */
    public Endpoint<A> endpoint() {
        return endpoint;
    }

    /**
     * Closes the ticket with the outcome of the call, which is judged by the rule of the balancer and by that of the
     * endpoint's gate. A failure is no evidence if the current thread was interrupted, or its call called off, before
     * the deadline: see {@link Outcomes#judgeBlocking}.
     *
     * @param result what the call returned, which may be null
     * @param error what it failed with, or null if it did not
     * @return whether this closed it; false if it was closed before
     */
    public boolean complete(@Nullable Object result, @Nullable Throwable error) {
        return complete(result, error, true);
    }

    /** Closes the ticket with the outcome of a call that ran on this thread, or of a stage. */
    boolean complete(@Nullable Object result, @Nullable Throwable error, boolean here) {
        boolean first = markClosed();
        if (first) {
            node.leave(stamp, start, token, result, error, here);
        }
        return first;
    }

    /**
     * Closes the ticket with a verdict.
     *
     * @param verdict how the call ended
     * @return whether this closed it; false if it was closed before
     * @throws NullPointerException if the verdict is null
     */
    public boolean complete(Verdict verdict) {
        Require.nonNull("verdict", verdict);
        boolean first = markClosed();
        if (first) {
            node.leave(stamp, start, token, verdict);
        }
        return first;
    }

    /** Closes the ticket of a call that its caller has given up, and which perhaps never began. */
    void ignore(boolean neverBegan) {
        if (markClosed()) {
            if (neverBegan) {
                node.leaveUnsent(stamp, start, token);
            } else {
                node.leave(stamp, start, token, Verdict.IGNORED);
            }
        }
    }

    /** Marks the ticket as closed and ends its lease; false if it was closed before. */
    private boolean markClosed() {
        boolean first = CLOSED.compareAndSet(this, false, true);
        if (first && lease != null) {
            lease.end();
        }
        return first;
    }

    /** Closes the ticket because its lease has expired; false if it was closed before. */
    boolean expire() {
        boolean first = CLOSED.compareAndSet(this, false, true);
        if (first) {
            node.leave(stamp, start, token, Verdict.IGNORED);
        }
        return first;
    }

    /** Closes the ticket without evidence about the endpoint, if it is not closed yet. */
    @Override
    public void close() {
        complete(Verdict.IGNORED);
    }

    @Override
    public String toString() {
        return "ticket for " + Text.printable(endpoint.id()) + ((boolean) CLOSED.getVolatile(this) ? ", closed" : "");
    }

    /** Returns what the log calls the endpoint. */
    String label() {
        return node.label;
    }
}

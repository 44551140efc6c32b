package dev.levee.grpc.balancing;

import dev.levee.core.Environment;
import dev.levee.core.internal.Handles;
import dev.levee.core.internal.SafeLog;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Picks whose stream was not made yet. A channel makes it at once, on the thread that has picked; but if the connection
 * of the endpoint has just been lost it drops the pick without a word, and picks again later. What stays here for long
 * was dropped, and is given back. See ADR 134.
 *
 * <p>A pick can only be dropped after its connection was lost, which changes the picker soon: so it is enough to look a
 * while after each change.
 */
final class UnclaimedPicks {
    /**
     * Far longer than a thread takes from a pick to its stream; a pick that is given back too early is only counted.
     */
    static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final Logger LOG = LoggerFactory.getLogger(UnclaimedPicks.class);
    private static final VarHandle PLANNED = Handles.field(MethodHandles.lookup(), "planned", boolean.class);

    private final Environment environment;
    private final Set<PickedStream> picks = ConcurrentHashMap.newKeySet();

    /** Whether a sweep is on its way. */
    @SuppressWarnings("UnusedVariable") // written through PLANNED
    private volatile boolean planned;

    UnclaimedPicks(Environment environment) {
        this.environment = environment;
    }

    void add(PickedStream pick) {
        picks.add(pick);
    }

    void claimed(PickedStream pick) {
        picks.remove(pick);
    }

    long now() {
        return environment.clock().nanoTime();
    }

    /** Looks after the grace for what was dropped by then. */
    void sweepSoon() {
        if (PLANNED.compareAndSet(this, false, true)) {
            try {
                environment.schedule(() -> environment.handOver(this::sweep), GRACE_NANOS);
            } catch (Throwable noTimer) { // an environment that was closed; the next change tries again
                planned = false;
            }
        }
    }

    private void sweep() {
        planned = false;
        long now = now();
        picks.removeIf(pick -> {
            boolean dropped = now - pick.pickedAtNanos >= GRACE_NANOS;
            if (dropped) {
                giveBack(pick);
            }
            return dropped;
        });
        if (!picks.isEmpty()) {
            sweepSoon();
        }
    }

    private static void giveBack(PickedStream pick) {
        try {
            pick.dropped();
        } catch (Throwable thrown) { // by a gate of a user: the others are given back all the same
            SafeLog.warn(LOG, "a stream that was picked for, and never made, could not be given back", thrown);
        }
    }
}

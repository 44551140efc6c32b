package dev.levee.core.policy;

import dev.levee.core.RefusedException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The failures of earlier attempts, of which the latest eight are kept, to be suppressed in the last one. See ADR 15.
 */
final class SuppressedFailures {
    private static final int MAX = 8;

    private final Deque<Throwable> earlier = new ArrayDeque<>(MAX);

    void add(@Nullable Throwable error) {
        if (error == null) {
            return;
        }
        if (earlier.size() == MAX) {
            earlier.removeFirst();
        }
        earlier.addLast(error);
    }

    /** Returns the last failure with the earlier ones suppressed. A refusal that many calls share is copied first. */
    Throwable onto(Throwable last) {
        if (earlier.isEmpty()) {
            return last;
        }
        Throwable carrier = ofOneCaller(last);
        suppressAllIn(carrier);
        return carrier;
    }

    /** Returns the failure itself, or a copy if it is a refusal that many calls share. */
    static Throwable ofOneCaller(Throwable failure) {
        return failure instanceof RefusedException refused ? refused.detached() : failure;
    }

    /** Suppresses a failure in another: a bounded number, because user code may throw the same object for ever. */
    static void suppress(Throwable carrier, Throwable failure) {
        if (failure != carrier && carrier.getSuppressed().length < MAX) {
            carrier.addSuppressed(failure);
        }
    }

    void suppressAllIn(Throwable carrier) {
        for (Throwable failure : earlier) {
            suppress(carrier, failure);
        }
    }
}

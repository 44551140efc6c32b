package dev.levee.core.policy;

import dev.levee.core.RefusedException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** The failures of earlier attempts, of which the latest few are kept. */
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

    /** The last failure, carrying the earlier ones. A refusal that many share is copied first. */
    Throwable onto(Throwable last) {
        if (earlier.isEmpty()) {
            return last;
        }
        Throwable carrier = ofOneCaller(last);
        suppressAllIn(carrier);
        return carrier;
    }

    /** The failure itself, or a copy if it is a refusal that many share. */
    static Throwable ofOneCaller(Throwable failure) {
        return failure instanceof RefusedException refused ? refused.detached() : failure;
    }

    /** Bounded, because user code may throw one and the same object for ever. */
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

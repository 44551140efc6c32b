package dev.levee.simulator.concurrency;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What lets calls through to the server: a limit under test. */
interface Admission {
    /** What a call that was let through tells at its end. */
    @FunctionalInterface
    interface Admitted {
        void ended(boolean inTime);
    }

    /** Lets a call through at once, or returns null. */
    @Nullable Admitted tryAdmit(boolean critical);

    /**
     * Lets a call through, now or after a wait, or answers null: that it does not.
     *
     * @param leftNanos after what time its caller gives up
     */
    default void admit(boolean critical, long leftNanos, Consumer<@Nullable Admitted> then) {
        then.accept(tryAdmit(critical));
    }

    /** How many calls may be in flight now. */
    int limit();
}

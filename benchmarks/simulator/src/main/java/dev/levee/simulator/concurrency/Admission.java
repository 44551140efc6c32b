package dev.levee.simulator.concurrency;

import org.jspecify.annotations.Nullable;

/** What lets calls through to the server: a limit under test. */
interface Admission {
    /** What a call that was let through tells at its end. */
    @FunctionalInterface
    interface Admitted {
        void ended(boolean inTime);
    }

    /** Lets a call through, or returns null. */
    @Nullable Admitted tryAdmit(boolean critical);

    /** How many calls may be in flight now. */
    int limit();
}

package dev.levee.core.policy;

import java.util.ArrayDeque;

/**
 * Keeps hand-overs from piling up on one stack: a permit that is handed over may run the next call on the spot, which gives the permit
 * back and hands it over, and so on. Beyond a depth that no honest program reaches otherwise, what a thread would do inside is done
 * by that thread when it is out again.
 */
final class Trampoline {
    private static final int DEEPEST = 16;
    private static final ThreadLocal<Trampoline> OF_THREAD = ThreadLocal.withInitial(Trampoline::new);

    private final ArrayDeque<Runnable> later = new ArrayDeque<>(2);
    private int depth;

    private Trampoline() {}

    /**
     * Runs a task on this thread, now or when the tasks around it have ended.
     *
     * @param task looks for itself what there is to do, so that once is enough for all who asked meanwhile
     */
    static void run(Runnable task) {
        OF_THREAD.get().runOrRemember(task);
    }

    private void runOrRemember(Runnable task) {
        if (depth == DEEPEST) {
            if (!later.contains(task)) {
                later.add(task);
            }
            return;
        }
        depth++;
        try {
            runAndCatchUp(task);
        } finally {
            depth--;
        }
    }

    /** Whoever is deepest does what was remembered inside of him, one after the other. */
    private void runAndCatchUp(Runnable task) {
        try {
            task.run();
        } finally {
            while (depth == DEEPEST && !later.isEmpty()) {
                later.remove().run();
            }
        }
    }
}

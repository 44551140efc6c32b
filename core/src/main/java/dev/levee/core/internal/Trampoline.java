package dev.levee.core.internal;

import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Runs tasks without a deep stack. A permit that is handed to the next call may run that call on the same stack, which
 * gives the permit back and hands it on, and so on. Beyond a depth that is not reached otherwise, tasks of a thread are
 * kept, and run one after the other when the thread is back at that depth. See ADR 31.
 */
public final class Trampoline {
    private static final int MAX_DEPTH = 16;

    /** Weak, so that no thread holds the class loader of this library when it is not needed any more. */
    private static final ThreadLocal<@Nullable WeakReference<Trampoline>> OF_THREAD = new ThreadLocal<>();

    private final ArrayDeque<Runnable> later = new ArrayDeque<>(2);
    private int depth;

    private Trampoline() {}

    /**
     * Runs a task on this thread, now or when the tasks around it have ended.
     *
     * @param task finds out by itself what there is to do, so that one run is enough for all requests until then
     */
    public static void run(Runnable task) {
        ofThread().runOrKeep(task);
    }

    private static Trampoline ofThread() {
        WeakReference<Trampoline> reference = OF_THREAD.get();
        Trampoline found = reference == null ? null : reference.get();
        if (found == null) {
            found = new Trampoline();
            OF_THREAD.set(new WeakReference<>(found));
        }
        return found;
    }

    private void runOrKeep(Runnable task) {
        if (depth == MAX_DEPTH) {
            if (!later.contains(task)) {
                later.add(task);
            }
            return;
        }
        depth++;
        try {
            runWithKept(task);
        } finally {
            depth--;
        }
    }

    /** Runs a task; at the greatest depth also the tasks that were kept meanwhile, one after the other. */
    private void runWithKept(Runnable task) {
        try {
            task.run();
        } finally {
            while (depth == MAX_DEPTH && !later.isEmpty()) {
                later.remove().run();
            }
        }
    }
}

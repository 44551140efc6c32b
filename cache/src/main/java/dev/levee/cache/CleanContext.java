package dev.levee.cache;

import dev.levee.core.internal.AttemptCount;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.InterruptOnce;
import dev.levee.core.internal.Priority;
import dev.levee.core.internal.Repeater;
import java.lang.ref.WeakReference;

/**
 * Runs what belongs to no call as if no call was under way: without the deadline, the attempt, the priority, the choice
 * of consistency and the alarm of one. Executors exist that run a task on the thread of the call that hands it over.
 */
final class CleanContext {
    private CleanContext() {}

    static void run(Runnable task) {
        CallState state = CallState.current();
        if (state.isPlain() && state.alarm() == null) {
            task.run();
            return;
        }
        int attempt = state.attempt();
        boolean idempotent = state.idempotent();
        boolean repeating = state.repeating();
        WeakReference<Repeater> repeater = state.repeater();
        AttemptCount made = state.made();
        Object clock = state.clock();
        long deadline = state.deadlineNanos();
        Object snapshot = state.snapshot();
        InterruptOnce alarm = state.alarm();
        int priority = state.priority();
        Object reads = state.reads();
        state.reads(null);
        state.set(1, true, false, null, null, null, 0, null);
        state.priority(Priority.DEFAULT);
        state.alarm(null);
        try {
            task.run();
        } finally {
            state.alarm(alarm);
            state.priority(priority);
            state.reads(reads);
            state.set(attempt, idempotent, repeating, repeater, made, clock, deadline, snapshot);
        }
    }
}

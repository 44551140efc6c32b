package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntPredicate;
import java.util.function.Supplier;

/** An executor of a manual time that fails at some of its calls, in one of the ways in which executors fail. */
public final class FailingExecutor implements Executor {
    /** How it fails; some take the task nevertheless. */
    @SuppressWarnings("ImmutableEnumChecker") // the suppliers have no state
    public enum Failure {
        REJECTS(() -> new RejectedExecutionException("full"), false),
        HAS_NO_THREAD(() -> new OutOfMemoryError("unable to create native thread"), false),
        IS_BROKEN(() -> new IllegalStateException("broken"), false),
        HAS_NO_STACK(StackOverflowError::new, false),
        LACKS_A_CLASS(() -> new NoClassDefFoundError("a/Worker"), false),
        QUEUES_AND_HAS_NO_THREAD(() -> new OutOfMemoryError("unable to create native thread"), true);

        private final Supplier<? extends Throwable> thrown;
        private final boolean takes;

        Failure(Supplier<? extends Throwable> thrown, boolean takes) {
            this.thrown = thrown;
            this.takes = takes;
        }
    }

    private final Executor executor;
    private final Failure failure;
    private final IntPredicate failing;
    private int calls;

    public FailingExecutor(ManualTime time, Failure failure, IntPredicate failing) {
        this.executor = time.environment().executor();
        this.failure = failure;
        this.failing = failing;
    }

    /** Which calls fail: each of the first ones alone, and all of them. */
    public static List<IntPredicate> each(int calls) {
        List<IntPredicate> each = new ArrayList<>();
        for (int i = 1; i <= calls; i++) {
            int failing = i;
            each.add(call -> call == failing);
        }
        each.add(call -> call <= calls);
        return each;
    }

    public static Environment environment(ManualTime time, Failure failure, IntPredicate failing) {
        return time.environment().toBuilder()
                .executor(new FailingExecutor(time, failure, failing))
                .build();
    }

    public int calls() {
        return calls;
    }

    @Override
    public void execute(Runnable task) {
        calls++;
        if (failing.test(calls)) {
            if (failure.takes) {
                executor.execute(task);
            }
            sneak(failure.thrown.get());
        }
        executor.execute(task);
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <X extends Throwable> void sneak(Throwable thrown) throws X {
        throw (X) thrown;
    }
}

package dev.levee.core;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.concurrent.TimeUnit;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** When the thread of {@link WheelTimers} wakes up, and the locks of its stripes. */
public class WheelTimersStress {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    /** Timers at time 0, whose thread does not run: the actors do what it would do. */
    private static WheelTimers timers() {
        return new WheelTimers(
                () -> 0L,
                Environment.system().scheduler(),
                task -> new Thread(task) {
                    @Override
                    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // it does nothing
                    public void start() {}
                },
                1);
    }

    /** A timer is set while the thread plans its sleep: the thread knows of it, or is woken up. */
    @JCStressTest
    @Outcome(
            id = {"true, true", "false, true"},
            expect = ACCEPTABLE,
            desc = "seen in time, or woken up")
    @Outcome(expect = FORBIDDEN, desc = "it sleeps past the timer")
    @State
    public static class SetWhileItGoesToSleep {
        private static final long TICK = (SECOND >> WheelTimers.TICK_BITS) + 1;
        private final WheelTimers timers = timers();

        public SetWhileItGoesToSleep() {
            timers.set(() -> {}, 0, 2 * SECOND);
        }

        @Actor
        public void timerThread(ZZ_Result result) {
            result.r1 = timers.plan(timers.runDue()) <= TICK;
        }

        @Actor
        public void setting() {
            timers.set(() -> {}, 0, SECOND);
        }

        @Arbiter
        public void end(ZZ_Result result) {
            result.r2 = timers.wakesAt() <= TICK;
        }
    }

    /** Two timers are set while the thread sleeps: it wakes up for the earlier one. */
    @JCStressTest
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "for the earlier one")
    @Outcome(expect = FORBIDDEN, desc = "too late for one of them")
    @State
    public static class WokenForTheEarlierOfTwo {
        private final WheelTimers timers = timers();

        public WokenForTheEarlierOfTwo() {
            timers.set(() -> {}, 0, 3 * SECOND);
            timers.plan(timers.runDue());
        }

        @Actor
        public void earlier() {
            timers.set(() -> {}, 0, SECOND);
        }

        @Actor
        public void later() {
            timers.set(() -> {}, 0, 2 * SECOND);
        }

        @Arbiter
        public void end(ZZ_Result result) {
            result.r1 = timers.wakesAt() <= (SECOND >> WheelTimers.TICK_BITS) + 1;
            result.r2 = timers.pending() == 3;
        }
    }

    private static final class Counted implements Runnable {
        int runs;

        @Override
        public void run() {
            runs++;
        }
    }

    /** A task that is due is cancelled: it runs or is cancelled, never both. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "one of the two")
    @Outcome(expect = FORBIDDEN, desc = "both, or neither")
    @State
    public static class CancelledWhenDue {
        private final WheelTimers timers = timers();
        private final Counted task = new Counted();
        private final long ticket = timers.set(task, 0, 0);

        @Actor
        public void timerThread(II_Result result) {
            timers.runDue();
            result.r1 = task.runs;
        }

        @Actor
        public void cancelling(II_Result result) {
            result.r2 = timers.take(ticket, task) ? 1 : 0;
        }
    }
}

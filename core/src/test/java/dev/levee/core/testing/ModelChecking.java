package dev.levee.core.testing;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import java.util.stream.Stream;
import org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;

/** How Lincheck looks at interleavings here. */
public final class ModelChecking {
    /** Lincheck calls a run that lasts a few seconds a deadlock, and on a busy machine one does. */
    private static final long MAX_RUN_MILLIS = 120_000;

    private ModelChecking() {}

    /**
     * Returns options whose runs may last, to be completed by the test. A scenario that fails is not made smaller: that
     * takes most of the time of a test of a planted fault.
     */
    public static ModelCheckingOptions options() {
        return new ModelCheckingOptions()
                .invocationTimeout$lincheck(MAX_RUN_MILLIS)
                .minimizeFailedScenario(false);
    }

    /**
     * Returns options under which each call of some classes is one step: they have proofs of their own, and what
     * happens between our calls of them is asked.
     */
    public static ModelCheckingOptions optionsThatTrust(Class<?>... classes) {
        String[] names = Stream.of(classes).map(Class::getName).toArray(String[]::new);
        return options()
                .addGuarantee(ManagedStrategyGuaranteeKt.forClasses(names)
                        .allMethods()
                        .treatAsAtomic());
    }

    /**
     * Time stands still, and timers never come: nothing but the calls themselves is explored. A call that sets a timer
     * needs this: Lincheck may end a thread while it holds a lock of the JVM's timers, which then stay locked for all
     * later tests.
     */
    public static Environment timeless() {
        return Environment.builder()
                .clock(() -> 0)
                .scheduler(new Scheduler() {
                    @Override
                    public Timer schedule(Runnable task, long delayNanos) {
                        return () -> true;
                    }

                    @Override
                    public void sleep(long nanos) {}

                    @Override
                    public void park(Object blocker, long nanos) {}
                })
                .build();
    }
}

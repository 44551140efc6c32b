package dev.levee.core.testing;

import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;

/** How Lincheck looks at interleavings here. */
public final class ModelChecking {
    /** Lincheck calls a run that lasts a few seconds a deadlock, and on a busy machine one does. */
    private static final long MAX_RUN_MILLIS = 120_000;

    private ModelChecking() {}

    /** Returns options whose runs may last, to be completed by the test. */
    public static ModelCheckingOptions options() {
        return new ModelCheckingOptions().invocationTimeout$lincheck(MAX_RUN_MILLIS);
    }
}

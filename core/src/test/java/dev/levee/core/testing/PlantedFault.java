package dev.levee.core.testing;

import static org.assertj.core.api.Assertions.assertThat;

import org.jetbrains.lincheck.LincheckAssertionError;

/** What Lincheck throws when it has found a fault that was planted to see that it is found. */
public final class PlantedFault {
    private PlantedFault() {}

    /**
     * Asserts that Lincheck has found an execution that fails. It runs that execution a second time, to report it with
     * its trace, and where the second run differs, it throws an {@link IllegalStateException} that has the first.
     *
     * @param thrown what the check threw
     */
    public static void isCaught(Throwable thrown) {
        if (!(thrown instanceof LincheckAssertionError)) {
            assertThat(thrown)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith("Non-determinism found")
                    .hasMessageContaining("the first execution");
        }
    }
}

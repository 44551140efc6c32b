package dev.levee.core.testing;

/** Placeholder. */
public final class ManualTime {
    private ManualTime() {}
}

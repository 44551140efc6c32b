package dev.levee.simulator;

/**
 * Something that happens at a moment of virtual time. An object may be used again, but is in the queue at most once.
 */
public abstract class Event {
    /** Where it is in the queue, or -1. */
    int place = -1;

    /** Called when its time has come. */
    protected abstract void happen();

    /** Whether it waits for its time. */
    public final boolean isPending() {
        return place >= 0;
    }

    /** An event that runs a piece of code. */
    public static Event of(Runnable code) {
        return new Event() {
            @Override
            protected void happen() {
                code.run();
            }
        };
    }
}

package dev.levee.core.internal;

/** What may interrupt the thread that works for a call. */
public interface Alarm {
    /**
     * Returns whether the call, or one around it on the same thread, was called off before its time was up: its result
     * is not wanted any more, because another attempt of a hedge was first or its caller has given up.
     *
     * @return true if so; then how it ends says nothing about the other side
     */
    boolean isCalledOff();
}

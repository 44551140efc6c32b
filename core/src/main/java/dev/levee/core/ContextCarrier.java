package dev.levee.core;

/**
 * Takes what belongs to a thread, such as the {@linkplain #mdc MDC} or the span of a trace, from the thread of a call
 * to every thread that runs a part of the call, and leaves that thread as it was.
 *
 * <pre>{@code
 * Environment environment = Environment.builder().context(ContextCarrier.mdc()).build();
 * Retry retry = Retry.of("catalog", config, environment);
 * }</pre>
 *
 * <p>{@link #capture} is called on the thread that calls a policy, when the call begins and before anything of it runs;
 * {@link Captured#restore} on another thread (or the same one, for a later attempt), before code of the user: an
 * attempt, a fallback, a loader, an item of a queue, a rule or a listener; and {@link Scope#close} on that thread, when
 * the code has returned. Without a carrier nothing is captured, read or allocated. With one a call that may go on
 * elsewhere costs a capture for each of its policies which may move it. See docs/context.md and ADR 123.
 *
 * <p><b>What a carrier must not do.</b> It must not hand one mutable object to several threads: attempts of a hedge run
 * at the same time, and one that logs another user in must not do so for the others. Put a copy, or an immutable value,
 * into what {@code restore} sets. It must not resolve what is deferred, such as a security context that is read from a
 * session when it is first needed: capture the supplier. And {@code close} must put back what {@code restore} found,
 * also that there was nothing.
 *
 * <p>All methods are called by several threads, must not block and should not throw; what one throws is logged, and the
 * call goes on without that carrier.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface ContextCarrier {
    /**
     * Takes what the current thread has.
     *
     * @return what puts it on other threads; used any number of times, also at the same time, or never
     */
    Captured capture();

    /**
     * What was captured. Thread-safe.
     *
     * @since 0.1
     */
    @FunctionalInterface
    interface Captured {
        /**
         * Puts what was captured on the current thread, in place of all that it has of this kind.
         *
         * @return puts back what the thread had before
         */
        Scope restore();
    }

    /**
     * The time in which a thread has what was captured.
     *
     * @since 0.1
     */
    @FunctionalInterface
    interface Scope {
        /** Puts back what the thread had before; called once, on the same thread. */
        void close();
    }

    /**
     * Returns the carrier of SLF4J's mapped diagnostic context, {@link org.slf4j.MDC}. A capture copies the map; a
     * restore copies the one that was there, and puts it back in the end, also if there was none. The deques of
     * {@code MDC.pushByKey} are not carried.
     *
     * @return the carrier
     */
    static ContextCarrier mdc() {
        return CarriedContext.MdcCarrier.INSTANCE;
    }
}

package dev.levee.core;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;

/**
 * The deadline of a call had passed before the call began, so it did not run.
 *
 * <p>A refusal: it has no stack trace, outer breakers do not count it, and there is no point in trying again. Thrown by
 * a timeout, by {@link Deadline#refuseIfExpired}, and for a call whose time was up while it waited for a thread of an
 * executor. When the time is up while the call runs, the exception is a {@code TimedOutException} instead. See ADR 26
 * and ADR 62.
 *
 * @since 0.1
 */
public final class DeadlineExpiredException extends RefusedException {
    private static final long serialVersionUID = 1L;

    /** What refuses. */
    private final String kind;

    private DeadlineExpiredException(String kind, String name, boolean shared) {
        super(
                name,
                kind + " \"" + Text.printable(name) + "\" refused a call whose deadline had passed",
                () -> UNKNOWN,
                shared);
        this.kind = kind;
    }

    /**
     * Returns the refusal of a policy, to be made once and given to every caller that comes too late. For authors of
     * policies that honour deadlines. {@link #detached()} makes the copy of one caller.
     *
     * @param kind what refuses, as in messages: the {@linkplain Policy.Kind#label() label} of a policy's kind, or a
     *     noun for what is no policy
     * @param name the name of what refuses
     * @return a refusal that is shared: it cannot carry suppressed exceptions
     * @throws NullPointerException if {@code kind} or {@code name} is null
     */
    public static DeadlineExpiredException shared(String kind, String name) {
        return new DeadlineExpiredException(Require.nonNull("kind", kind), Require.nonNull("name", name), true);
    }

    @Override
    public DeadlineExpiredException detached() {
        return new DeadlineExpiredException(kind, policy(), false);
    }
}

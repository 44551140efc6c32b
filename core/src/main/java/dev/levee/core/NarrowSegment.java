package dev.levee.core;

import org.jspecify.annotations.Nullable;

/**
 * A segment of one to four adjacent gates, whose stamps live in local variables: a blocking call allocates nothing.
 *
 * <pre>
 *   clock     start, if a gate or a listener needs it                   end, if a gate or a listener needs it
 *               |                                                         |
 *   first       a = tryEnter(start)                                       first.exit(a, start, end, verdict, hint)
 *   second        b = tryEnter(start)                                   second.exit(b, ...)
 *   third           c = tryEnter(start)                               third.exit(c, ...)
 *   fourth            d = tryEnter(start)                           fourth.exit(d, ...)
 *                       next.call(operation) ---- result or error ---> verdict and hint, once for each rule
 * </pre>
 *
 * <p>Invariant: a stamp is {@link Gate#REFUSED} exactly as long as its gate holds no permit for this call. So one
 * {@code catch} serves every way out: {@code leave} exits the gates whose stamp is not {@code REFUSED}, each once, and
 * within a rule innermost first.
 *
 * <ul>
 *   <li>If the second gate refuses and can wait ({@link WaitingGate}), the call waits there, and {@code start} is read
 *       again: no gate of the segment, the first included, counts the wait as part of the call.
 *   <li>If it refuses and does not wait, {@link GateWait} throws its refusal. {@code b} is still {@code REFUSED}, so
 *       only the first gate is left, by {@link Gate#cancel}; the gates further in were never entered.
 *   <li>If it throws, against its promise, the same happens with the verdict of the first gate's rule on that error.
 *   <li>The result is judged after the {@code try}, and {@code leave} throws nothing: what a gate, a rule, a clock or a
 *       log throws there is never taken for the outcome of the operation, keeps no other gate from being left, and no
 *       gate is left twice.
 *   <li>There is stack for {@code leave}: {@link LinkedPipeline} has asked for it.
 * </ul>
 *
 * <p>Four copies of the same lines, because a loop would need an array of stamps. See ADR 4 for the shared times and
 * ADR 3 for stamps.
 */
final class NarrowSegment extends GateSegment {
    static final int MAX_GATES = 4;

    private final Gate first;
    private final @Nullable Gate second;
    private final @Nullable Gate third;
    private final @Nullable Gate fourth;
    private final OutcomeRule rule;
    private final boolean oneRule;

    NarrowSegment(Inner next, Gate... gates) {
        super(next, gates);
        first = gates[0];
        second = gates.length > 1 ? gates[1] : null;
        third = gates.length > 2 ? gates[2] : null;
        fourth = gates.length > 3 ? gates[3] : null;
        rule = first.outcomes();
        oneRule = oneRule();
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
        long start = readStart();
        long a = Gate.REFUSED;
        long b = Gate.REFUSED;
        long c = Gate.REFUSED;
        long d = Gate.REFUSED;
        T result;
        try {
            a = first.tryEnter(start);
            if (a == Gate.REFUSED) {
                a = GateWait.enterOrThrow(first, operation);
                start = readStart();
            }
            if (second != null) {
                b = second.tryEnter(start);
                if (b == Gate.REFUSED) {
                    b = GateWait.enterOrThrow(second, operation);
                    start = readStart();
                }
            }
            if (third != null) {
                c = third.tryEnter(start);
                if (c == Gate.REFUSED) {
                    c = GateWait.enterOrThrow(third, operation);
                    start = readStart();
                }
            }
            if (fourth != null) {
                d = fourth.tryEnter(start);
                if (d == Gate.REFUSED) {
                    d = GateWait.enterOrThrow(fourth, operation);
                    start = readStart();
                }
            }
            result = next.call(operation);
        } catch (Throwable error) {
            leave(a, b, c, d, start, null, error);
            throw error;
        }
        leave(a, b, c, d, start, result, null);
        return result;
    }

    private void leave(long a, long b, long c, long d, long start, @Nullable Object result, @Nullable Throwable error) {
        if (!oneRule) {
            leaveByRule(a, b, c, d, start, result, error);
            return;
        }
        long end = readEnd(start);
        Verdict verdict = Outcomes.judgeBlocking(rule, result, error);
        boolean notSent = verdict == Verdict.IGNORED && isNotSent(verdict, error, areAllEntered(b, c, d));
        long hint = Outcomes.retryAfterNanos(rule, verdict, result, error);
        if (fourth != null && d != Gate.REFUSED) {
            leave(fourth, d, start, end, verdict, hint, notSent);
        }
        if (third != null && c != Gate.REFUSED) {
            leave(third, c, start, end, verdict, hint, notSent);
        }
        if (second != null && b != Gate.REFUSED) {
            leave(second, b, start, end, verdict, hint, notSent);
        }
        if (a != Gate.REFUSED) {
            leave(first, a, start, end, verdict, hint, notSent);
        }
    }

    private boolean areAllEntered(long b, long c, long d) {
        return (second == null || b != Gate.REFUSED)
                && (third == null || c != Gate.REFUSED)
                && (fourth == null || d != Gate.REFUSED);
    }

    /**
     * Leaves gates that have different rules. Off the common path, but without garbage too once the compiler knows that
     * the array does not escape.
     */
    private void leaveByRule(
            long a, long b, long c, long d, long start, @Nullable Object result, @Nullable Throwable error) {
        long[] stamps = {a, b, c, d};
        leave(stamps, start, result, error, CallForm.BLOCKING);
    }
}
